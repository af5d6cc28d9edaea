"""What works in a clone alone: notebooks, their parameters, their runs and results."""
