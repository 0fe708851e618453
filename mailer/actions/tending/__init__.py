"""The keeper of the machine looks after it; these verbs take settings, and work where no App can be opened."""
