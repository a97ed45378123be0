"""What the engine needs of the machine: compiled kernels, vector instructions, threads, memory, arrays that grow."""
