"""The verbs, in groups by who acts: joining < writing < sending < hearing."""
