"""What works in a clone alone: notebooks, their results, what is published of them."""
