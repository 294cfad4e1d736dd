"""An event-sourced shop on a Redis Stream and the terminal dashboard to watch it."""
