"""What is painted over views or explains them: marks, pointers, legends."""
