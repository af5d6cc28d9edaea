"""Training: the engine, losses, distillation."""
