"""A question that a file leaves open: its answers to choose from, or one to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QRadioButton, QVBoxLayout, QWidget

from app.state.texts.wording import without_options
from app.window.parts.controls import as_tip, breakable, label, message_label, shortened, without_icons

if TYPE_CHECKING:
    from sdf_models import Question, Reading

_MOST_OF_ANSWER: Final = 90  # characters


class QuestionDialog(QDialog):
    """Accepted, `reading` holds the answer too."""

    def __init__(self, name: str, question: Question, reading: Reading, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("SplineScope")
        self.setMinimumWidth(520)
        self.name, self.reading = name, reading
        self._choice = question.choice
        text = message_label(without_options(f"{question.text[:1].upper()}{question.text[1:]}."))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(10)
        layout.addWidget(message_label(f"How is {name} to be read?", "title"))
        layout.addWidget(text)
        self.answers: list[tuple[QRadioButton, str]] = []
        for answer in question.alternatives:
            meaning = f"{answer.value}: {without_options(answer.meaning)}" if answer.meaning else answer.value
            button = QRadioButton(shortened(meaning, _MOST_OF_ANSWER).replace("&", "&&"), self)
            button.setToolTip(as_tip(meaning) if len(meaning) > _MOST_OF_ANSWER else "")
            button.toggled.connect(self._chosen)
            self.answers.append((button, answer.value))
            layout.addWidget(button)
        self.other = QLineEdit(self)
        self.other.setPlaceholderText(f"or another answer: {question.other}")
        self.other.setVisible(bool(question.other))
        self.other.textEdited.connect(self._written)
        layout.addWidget(self.other)
        self.fault = label("", "muted")
        self.fault.setWordWrap(True)
        wanted = QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        self.buttons = without_icons(QDialogButtonBox(wanted, self))
        self.buttons.accepted.connect(self._answer)
        self.buttons.rejected.connect(self.reject)
        layout.addWidget(self.fault)
        layout.addWidget(self.buttons)
        self._show_ready()

    @property
    def text(self) -> str:
        """The answer so far."""
        written = self.other.text().strip()
        return written or next((value for button, value in self.answers if button.isChecked()), "")

    def _chosen(self, checked: bool) -> None:
        if checked:
            self.other.clear()
        self._show_ready()

    def _written(self) -> None:
        for button, _ in self.answers:
            button.setAutoExclusive(False)
            button.setChecked(False)
            button.setAutoExclusive(True)
        self._show_ready()

    def _show_ready(self) -> None:
        self.fault.setText("")
        self.buttons.button(QDialogButtonBox.StandardButton.Open).setEnabled(bool(self.text))

    def _answer(self) -> None:
        try:
            self.reading = self.reading.answered(self._choice, self.text)
        except ValueError as error:
            self.fault.setText(breakable(str(error)))
            return
        self.accept()
