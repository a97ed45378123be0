"""A picture in memory that VTK renders into, without a window on the screen."""

from __future__ import annotations

import os
import sys

import vtkmodules.vtkRenderingFreeType
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401  what VTK makes render windows of
from vtkmodules.vtkRenderingCore import vtkLight, vtkRenderer, vtkRenderWindow


class Canvas:
    """render_window with one renderer, lit from the eye; belongs to the thread that makes it, until `close`."""

    def __init__(self, width: int, height: int) -> None:
        self.renderer = vtkRenderer()
        self.renderer.AutomaticLightCreationOff()
        light = vtkLight()
        light.SetLightTypeToHeadlight()
        self.renderer.AddLight(light)
        if sys.platform == "linux":  # VTK would look for X first, and complain where that is missing or without OpenGL
            os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
        self.render_window = vtkRenderWindow()
        self.render_window.SetOffScreenRendering(True)
        self.render_window.SetMultiSamples(0)
        self.render_window.SetSize(width, height)
        self.render_window.AddRenderer(self.renderer)

    def clear(self) -> None:
        """For another scene: the first picture of a new canvas takes several times as long."""
        self.renderer.RemoveAllViewProps()

    def close(self) -> None:
        """Give back everything that VTK holds."""
        self.clear()
        self.render_window.RemoveRenderer(self.renderer)
        self.render_window.Finalize()
