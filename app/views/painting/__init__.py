"""Surface and slices as pixels of the 3D picture, laid over each other by depth."""
