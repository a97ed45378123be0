"""What is asked of a partition or a surface that is finished."""
