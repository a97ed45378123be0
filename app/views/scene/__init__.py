"""The 3D scene: camera, planes, a hand on them, and pictures that leave the window."""
