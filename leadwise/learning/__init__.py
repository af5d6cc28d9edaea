"""Training: recipes, the engine, losses, distillation."""
