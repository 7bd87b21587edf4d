"""The project's metrics, each defined once."""
