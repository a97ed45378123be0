"""A figure of what the window shows: its content, its page, its look, as it will be, and the file that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QMimeData, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QDrag, QGuiApplication, QImage, QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.control.figure_choices import CONTENTS, MOVEMENTS, FigureChoices
from app.figures.presets import PRESETS
from app.figures.spec import Coordinates, FigureSpec, SpecError, Theme
from app.window.parts.controls import Choice, Tick, label, message_label, number_box, without_icons
from engine import Cancelled, EngineError

if TYPE_CHECKING:
    from app.control.figure_maker import FigureMaker, Preview
    from app.control.settings import Settings
    from app.figures.layouts import Rectangle

_PAPER: Final = QSize(600, 520)
_PATIENCE: Final = 120  # milliseconds without a change, after which a preview is drawn
_INCH: Final = 25.4
_NOTHING_MOVES: Final = "Nothing moves: choose a movement first."
_THEMES: Final = {
    Theme.LIGHT: "Light", Theme.DARK: "Dark", Theme.GREY: "Grey, for print", Theme.COLOUR_BLIND: "Colour-blind-safe",
}  # fmt: skip
_MARKS: Final = {Coordinates.AXES: "Axes", Coordinates.SCALE_BAR: "Scale bar", Coordinates.NONE: "None"}


class FigureDialog(QDialog):
    """seen: what the active slice's view shows of it; choose_path: asks for a file; content: to begin with."""

    def __init__(
        self,
        maker: FigureMaker,
        settings: Settings,
        seen: Rectangle | None,
        choose_path: Callable[[], Path | None],
        parent: QWidget | None = None,
        content: str | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Figure")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._maker, self._settings, self._seen, self._choose_path = maker, settings, seen, choose_path
        self._spec: FigureSpec | None = None
        self._writing = False
        before = FigureChoices.from_text(settings.figure)
        self.content = self._choice(CONTENTS.items(), content or before.content, "What the figure shows")
        pages = ((name, page.title) for name, page in PRESETS.items())
        self.page = self._choice(pages, before.page, "Width, and the sizes of letters")
        self.theme = self._choice(((t.value, text) for t, text in _THEMES.items()), before.theme, "Ground and colours")
        self.marks = self._choice(((m.value, text) for m, text in _MARKS.items()), before.marks, "At each slice")
        self.movement = self._choice(MOVEMENTS.items(), before.movement, "What moves in .webp and .gif files")
        self.title = QLineEdit(self)
        self.title.setPlaceholderText("the checkpoint's name")
        self.title.setToolTip("Above the figure")
        self.dpi = number_box(self, 10, 4800, 50, "dpi", "Of PNG, and of pictures inside vector figures")
        self.dpi.setAccessibleName("resolution")
        self.dpi.setValue(before.dpi)
        self.letters = self._tick("Pa&nel letters", before.letters, "a, b, c, at the panels")
        self.legend = self._tick("&Legend", before.legend, "Colours of depths and level sets")
        self.outlines = self._tick("Outlined &words", before.outlines, "In SVG: words look alike without their font")
        self.paper = FigurePaper(self)
        self.size_line, self.warning = label("", "muted"), message_label("")
        self.progress = QProgressBar(self)
        self.progress.setRange(0, 0)
        self.progress.setTextVisible(False)
        self.copy_command = QPushButton("Copy as co&mmand", self)
        self.copy_command.setToolTip("The line for a shell that makes this figure")
        self.copy_picture = QPushButton("Copy &picture", self)
        self.copy_picture.setToolTip("The picture as it is seen here; it can be dragged out of the window, too")
        standard = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(standard.Save | standard.Cancel, self)
        self.buttons.addButton(self.copy_command, QDialogButtonBox.ButtonRole.ActionRole)
        self.buttons.addButton(self.copy_picture, QDialogButtonBox.ButtonRole.ActionRole)
        without_icons(self.buttons)
        self.save = self.buttons.button(standard.Save)
        self.save.setText("&Save…")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PATIENCE)
        self._timer.timeout.connect(self._draw)
        self._arrange()
        self._connect()
        if content is not None:
            self._fit_page()
        self._changed()

    @property
    def choices(self) -> FigureChoices:
        return FigureChoices(
            self.content.currentData(), self.page.currentData(), self.theme.currentData(), self.marks.currentData(),
            self.letters.isChecked(), self.legend.isChecked(), self.outlines.isChecked(), self.dpi.value(),
            self.movement.currentData(),
        )  # fmt: skip

    @property
    def settled(self) -> bool:
        """The preview is that of the choices, and nothing is being written."""
        return not self.progress.isVisible() and not self._timer.isActive()

    def _choice(self, entries: Iterable[tuple[str, str]], chosen: str, tip: str) -> Choice:
        made = Choice(self)
        for name, text in entries:
            made.addItem(text, name)
        made.setCurrentIndex(max(0, made.findData(chosen)))
        made.setToolTip(tip)
        made.currentIndexChanged.connect(lambda _: self._changed())
        return made

    def _tick(self, text: str, on: bool, tip: str) -> Tick:
        made = Tick(text, self)
        made.setChecked(on)
        made.setToolTip(tip)
        return made

    def _arrange(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(9)
        for text, field in (
            ("Conten&t", self.content), ("Pa&ge", self.page), ("Th&eme", self.theme), ("Co&ordinates", self.marks),
            ("Mo&vement", self.movement), ("T&itle", self.title), ("&Resolution", self.dpi),
        ):  # fmt: skip
            form.addRow(text, field)
        for tick in (self.letters, self.legend, self.outlines):
            form.addRow("", tick)
        column = QVBoxLayout()
        column.setSpacing(10)
        column.addLayout(form)
        column.addSpacing(6)
        column.addWidget(self.size_line)
        column.addWidget(self.warning)
        column.addStretch(1)
        side = QWidget(self)
        side.setLayout(column)
        side.setFixedWidth(330)
        column.setContentsMargins(0, 0, 0, 0)
        middle = QHBoxLayout()
        middle.setSpacing(18)
        middle.addWidget(side)
        middle.addWidget(self.paper, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(12)
        layout.addLayout(middle, 1)
        layout.addWidget(self.progress)
        layout.addWidget(self.buttons)

    def _connect(self) -> None:
        self.content.activated.connect(lambda _: self._fit_page())
        for tick in (self.letters, self.legend, self.outlines):
            tick.toggled.connect(lambda _: self._changed())
        self.title.textEdited.connect(lambda _: self._changed())
        self.dpi.valueChanged.connect(lambda _: self._changed())
        self.copy_command.clicked.connect(self._copy_command)
        self.copy_picture.clicked.connect(lambda: QGuiApplication.clipboard().setImage(self.paper.image))
        self.buttons.accepted.connect(self._save)
        self.buttons.rejected.connect(self._leave)
        self.finished.connect(lambda _: self._maker.forget_preview())

    def _changed(self) -> None:
        """Something else was chosen: draw it once the hand rests."""
        self.marks.setEnabled(self.content.currentData() not in ("stack", "method"))
        self._settings.figure = self.choices.to_text()
        try:
            self._spec = self._maker.spec(self.choices, self.title.text().strip(), self._seen)
        except SpecError as error:
            self._refused(error)
            return
        self._busy(True)
        self._timer.start()

    def _fit_page(self) -> None:
        """Several panels want a page, and one a column, where nobody chose another size."""
        usual = "column" if self.content.currentData() in ("slice", "stack") else "page"
        if self.page.currentData() in ("column", "page"):
            self.page.setCurrentIndex(self.page.findData(usual))

    def _draw(self) -> None:
        if self._spec is None:
            return
        ratio = self.devicePixelRatioF()
        height = self._spec.height or self._spec.width
        dots = _INCH * ratio * min(self.paper.width() / self._spec.width, 1.6 * self.paper.height() / height)
        self._maker.preview(self._spec, max(10.0, dots), self._show, self._refused)

    def _show(self, preview: Preview) -> None:
        spec = self._spec
        assert spec is not None
        self.paper.show_image(QImage.fromData(preview.png))
        count = len(spec.panels)
        panels = "1 panel" if count == 1 else f"{count} panels"
        self.size_line.setText(f"{spec.width:.4g} \N{MULTIPLICATION SIGN} {preview.height:.4g} mm, {panels}")
        self.warning.setText("\n".join(f"{warning}." for warning in preview.warnings))
        self._busy(False)

    def _refused(self, error: Exception) -> None:
        """There is no such figure: say why."""
        if isinstance(error, Cancelled):
            return
        if not isinstance(error, SpecError | EngineError):
            raise error
        self._spec = None
        self._timer.stop()
        self.paper.show_image(QImage())
        self.size_line.setText("")
        self.warning.setText(f"{error}.")
        self._busy(False)

    def _busy(self, busy: bool) -> None:
        self.progress.setVisible(busy)
        ready = not busy and self._spec is not None
        self.save.setEnabled(self._spec is not None and not self._writing)
        self.copy_command.setEnabled(self._spec is not None)
        self.copy_picture.setEnabled(ready)

    def _copy_command(self) -> None:
        assert self._spec is not None
        try:
            QGuiApplication.clipboard().setText(self._maker.command(self._spec))
        except ValueError as error:
            self.warning.setText(f"{error}.")

    def _save(self) -> None:
        path = None if self._spec is None else self._choose_path()
        if path is not None:
            self.write(path)

    def write(self, path: Path) -> None:
        """Write the figure, and close the dialog when it is there."""
        if self._spec is None:
            return
        self._timer.stop()
        self._maker.forget_preview()
        self._writing = True
        self._busy(True)
        try:
            self._maker.write(self._spec, path, self._written, self.choices.movement)
        except SpecError as error:
            self._written(False)
            self.warning.setText(_NOTHING_MOVES if self.choices.movement == "none" else f"{error}.")

    def _written(self, there: bool) -> None:
        self._writing = False
        if there:
            self.accept()
        else:
            self._busy(False)

    def _leave(self) -> None:
        """Stop writing; with nothing being written close."""
        if not self._writing:
            self.reject()
            return
        self._maker.stop()
        self._writing = False
        self._busy(False)

    def reject(self) -> None:
        self._maker.stop()
        super().reject()


class FigurePaper(QWidget):
    """The figure in its true proportions; it can be dragged elsewhere.  image: without pixels while there is none."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.image = QImage()
        self._pressed: QPoint | None = None
        self.setMinimumSize(_PAPER)
        self.setAccessibleName("preview")
        self.setToolTip("As it will be; drag it into another program")

    def show_image(self, image: QImage) -> None:
        self.image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if not self.image.isNull():
            size = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
            ratio = self.devicePixelRatioF()
            scaled = self.image.scaled(
                size * ratio, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            scaled.setDevicePixelRatio(ratio)
            painter.drawImage(left, top, scaled)
            painter.setPen(self.palette().color(self.palette().ColorRole.Mid))
            painter.drawRect(left, top, size.width() - 1, size.height() - 1)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None or self.image.isNull():
            return
        if (event.position().toPoint() - self._pressed).manhattanLength() < QApplication.startDragDistance():
            return
        self._pressed = None
        drag, carried = QDrag(self), QMimeData()
        carried.setImageData(self.image)
        drag.setMimeData(carried)
        drag.setPixmap(QPixmap.fromImage(self.image.scaledToWidth(160)))
        drag.exec(Qt.DropAction.CopyAction)
