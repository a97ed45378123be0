"""Work off the GUI thread: one thread for each kind, the newest request of each caller wins."""
