"""The console: pages for organisers at /console, which translate between a browser and the actions."""
