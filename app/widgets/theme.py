"""Colours, fonts and spacing of the window."""

from __future__ import annotations

from typing import Final

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

PANEL: Final = "#f5f6f8"
RAISED: Final = "#ffffff"
LINE: Final = "#dfe3e9"
TEXT: Final = "#1f2733"
MUTED: Final = "#667085"
BRAND: Final = "#2f5bd0"
BRAND_SOFT: Final = "#e4ebfb"
WARNING: Final = "#a15c00"

_FAMILIES = ("Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "Cantarell", "Ubuntu", "DejaVu Sans")

STYLE: Final = f"""
* {{ color: {TEXT}; }}
QMainWindow, QDialog {{ background: {PANEL}; }}
QToolTip {{ background: {TEXT}; color: white; border: none; padding: 4px 6px; }}
#panel {{ background: {PANEL}; }}
#card {{ background: {RAISED}; border: 1px solid {LINE}; border-radius: 8px; }}
#card[active="true"] {{ border: 1px solid {BRAND}; }}
#heading {{ font-weight: 600; font-size: 10pt; }}
#section {{ color: {MUTED}; font-weight: 600; font-size: 8pt; }}
#muted {{ color: {MUTED}; }}
#approximation {{ background: #fdf0d5; color: #7a4a00; font-weight: 600; padding: 5px 12px; }}
#notice {{ background: {BRAND_SOFT}; border-bottom: 1px solid {LINE}; }}
#title {{ font-weight: 600; font-size: 11pt; }}
QToolButton, QPushButton {{
    background: {RAISED}; border: 1px solid {LINE}; border-radius: 6px; padding: 4px 9px; min-height: 16px;
}}
QToolButton:hover, QPushButton:hover {{ border-color: #b9c2d0; background: #fbfcfd; }}
QToolButton:pressed, QPushButton:pressed {{ background: {BRAND_SOFT}; }}
QToolButton:checked {{ background: {BRAND_SOFT}; border-color: {BRAND}; color: {BRAND}; }}
QToolButton:disabled, QPushButton:disabled {{ color: #aab2bf; background: {PANEL}; }}
QToolButton#flat {{ border: none; background: transparent; padding: 3px; }}
QToolButton#flat:hover {{ background: #e9ecf1; }}
QToolButton#flat:checked {{ background: transparent; }}
QPushButton:default {{ background: {BRAND}; border-color: {BRAND}; color: white; }}
QLineEdit, QComboBox, QDoubleSpinBox {{
    background: {RAISED}; border: 1px solid {LINE}; border-radius: 6px; padding: 3px 7px; min-height: 18px;
    selection-background-color: {BRAND}; selection-color: white;
}}
QLineEdit:focus, QComboBox:focus, QDoubleSpinBox:focus {{ border-color: {BRAND}; }}
QLineEdit[wrong="true"] {{ border-color: #c0392b; background: #fdf1f0; }}
QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{ width: 0; border: none; }}
QComboBox::drop-down {{ border: none; width: 18px; }}
QComboBox QAbstractItemView {{ background: {RAISED}; border: 1px solid {LINE}; selection-background-color: {BRAND_SOFT};
    selection-color: {TEXT}; outline: none; }}
QSlider::groove:horizontal {{ height: 4px; background: {LINE}; border-radius: 2px; }}
QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: {BRAND}; }}
QSlider::handle:horizontal:hover {{ background: #244bb3; }}
QStatusBar {{ background: {RAISED}; border-top: 1px solid {LINE}; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel {{ color: {MUTED}; padding: 0 6px; }}
QMenuBar {{ background: {RAISED}; border-bottom: 1px solid {LINE}; padding: 2px 6px; }}
QMenuBar::item {{ padding: 4px 9px; border-radius: 5px; background: transparent; }}
QMenuBar::item:selected {{ background: {BRAND_SOFT}; }}
QMenu {{ background: {RAISED}; border: 1px solid {LINE}; padding: 5px; }}
QMenu::item {{ padding: 5px 26px 5px 22px; border-radius: 4px; }}
QMenu::item:selected {{ background: {BRAND_SOFT}; }}
QMenu::item:disabled {{ color: #aab2bf; }}
QMenu::separator {{ height: 1px; background: {LINE}; margin: 5px 8px; }}
QMenu::indicator {{ width: 14px; height: 14px; left: 5px; }}
QSplitter::handle {{ background: {PANEL}; }}
QProgressBar {{ background: {LINE}; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }}
QProgressBar::chunk {{ background: {BRAND}; border-radius: 2px; }}
QScrollArea {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 9px; margin: 0; }}
QScrollBar::handle:vertical {{ background: #ccd2db; border-radius: 4px; min-height: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ background: none; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
QPlainTextEdit {{ background: {RAISED}; border: 1px solid {LINE}; border-radius: 6px; padding: 4px; }}
"""


def dress(application: QApplication) -> None:
    """The application's style; the light palette also where the desktop's is dark."""
    application.setStyle("Fusion")
    known = set(QFontDatabase.families())
    family = next((name for name in _FAMILIES if name in known), application.font().family())
    application.setFont(QFont(family, 9))
    palette = QPalette()
    for role, color in (
        (QPalette.ColorRole.Window, PANEL),
        (QPalette.ColorRole.Base, RAISED),
        (QPalette.ColorRole.Button, RAISED),
        (QPalette.ColorRole.Text, TEXT),
        (QPalette.ColorRole.WindowText, TEXT),
        (QPalette.ColorRole.ButtonText, TEXT),
        (QPalette.ColorRole.Highlight, BRAND),
        (QPalette.ColorRole.HighlightedText, "#ffffff"),
        (QPalette.ColorRole.PlaceholderText, "#98a2b3"),
    ):
        palette.setColor(role, QColor(color))
    application.setPalette(palette)
    application.setStyleSheet(STYLE)
