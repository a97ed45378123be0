"""Colours, fonts and spacing of the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from app.state.paper import NIGHT, WHITE, Paper
from app.views.marks.paper_of import GROUND, color_of


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of the window; paper: on which its views draw, see `app.state.paper`."""

    panel: str
    raised: str
    line: str
    text: str
    muted: str
    brand: str
    brand_soft: str
    on_brand: str
    hover: str
    disabled: str
    handle: str
    wrong: str
    wrong_soft: str
    caution: str
    caution_soft: str
    paper: Paper


LIGHT: Final = Theme(
    panel="#f5f6f8", raised="#ffffff", line="#dfe3e9", text="#1f2733", muted="#667085", brand="#2f5bd0",
    brand_soft="#e4ebfb", on_brand="#ffffff", hover="#eef1f5", disabled="#aab2bf", handle="#ccd2db", wrong="#c0392b",
    wrong_soft="#fdf1f0", caution="#7a4a00", caution_soft="#fdf0d5", paper=WHITE,
)  # fmt: skip
DARK: Final = Theme(
    panel="#1d2026", raised="#272b33", line="#3b414c", text="#e4e8ee", muted="#98a2b3", brand="#7ea2ff",
    brand_soft="#2c3a5e", on_brand="#10131a", hover="#323844", disabled="#646d7c", handle="#4d5563", wrong="#ff8a7a",
    wrong_soft="#43292a", caution="#ffd591", caution_soft="#45371c", paper=NIGHT,
)  # fmt: skip

MUTED: Final = "#7b8698"  # of icons: seen well on both

_FAMILIES = ("Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "Cantarell", "Ubuntu", "DejaVu Sans")


def style_sheet(theme: Theme) -> str:
    return f"""
* {{ color: {theme.text}; }}
QMainWindow, QDialog {{ background: {theme.panel}; }}
QToolTip {{ background: {theme.text}; color: {theme.panel}; border: none; padding: 4px 6px; }}
#panel {{ background: {theme.panel}; }}
#card {{ background: {theme.raised}; border: 1px solid {theme.line}; border-radius: 8px; }}
#card[active="true"] {{ border: 1px solid {theme.brand}; }}
#heading {{ font-weight: 600; font-size: 10pt; }}
#section {{ color: {theme.muted}; font-weight: 600; font-size: 8pt; }}
#muted {{ color: {theme.muted}; }}
#small {{ color: {theme.muted}; font-size: 8pt; }}
#noticeText {{ font-weight: 600; }}
#approximation {{ background: {theme.caution_soft}; color: {theme.caution}; font-weight: 600; padding: 5px 12px; }}
QAbstractSpinBox QLineEdit {{ border: none; background: transparent; padding: 0; min-height: 0; }}
#notice {{ background: {theme.brand_soft}; border-bottom: 1px solid {theme.line}; }}
#title {{ font-weight: 600; font-size: 11pt; }}
QToolButton, QPushButton {{
    background: {theme.raised}; border: 1px solid {theme.line}; border-radius: 6px; padding: 4px 9px; min-height: 16px;
}}
#strip QToolButton {{ padding: 4px 6px; }}
#strip QToolButton#narrow, #strip QToolButton#slim {{ padding: 4px 3px; }}
QToolButton:hover, QPushButton:hover {{ border-color: {theme.muted}; background: {theme.hover}; }}
QToolButton:focus, QPushButton:focus, #card:focus {{ border-color: {theme.brand}; }}
QToolButton#flat:focus {{ background: {theme.hover}; }}
QToolButton:pressed, QPushButton:pressed {{ background: {theme.brand_soft}; }}
QToolButton:checked {{ background: {theme.brand_soft}; border-color: {theme.brand}; color: {theme.brand}; }}
QToolButton:disabled, QPushButton:disabled {{ color: {theme.disabled}; background: {theme.panel}; }}
QToolButton#flat {{ border: none; background: transparent; padding: 3px; }}
QToolButton#flat:hover {{ background: {theme.hover}; }}
QToolButton#flat:checked {{ background: transparent; }}
QPushButton:default {{ background: {theme.brand}; border-color: {theme.brand}; color: {theme.on_brand}; }}
QPushButton:default:disabled {{ background: {theme.panel}; border-color: {theme.line}; color: {theme.disabled}; }}
QLineEdit, QComboBox, QDoubleSpinBox, QSpinBox {{
    background: {theme.raised}; border: 1px solid {theme.line}; border-radius: 6px; padding: 3px 7px; min-height: 18px;
    selection-background-color: {theme.brand}; selection-color: {theme.on_brand};
}}
QLineEdit QToolButton, QLineEdit QToolButton:hover {{
    border: none; background: transparent; padding: 0; min-height: 0;
}}
QLineEdit:focus, QComboBox:focus, QSpinBox:focus {{ border-color: {theme.brand}; }}
QLineEdit:disabled {{ background: {theme.panel}; color: {theme.muted}; }}
QLineEdit[wrong="true"] {{ border-color: {theme.wrong}; background: {theme.wrong_soft}; }}
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button,
QDoubleSpinBox::down-button {{ width: 0; border: none; }}
QComboBox {{ combobox-popup: 0; }}
QComboBox::drop-down {{ border: none; width: 18px; }}
QComboBox QAbstractItemView {{ background: {theme.raised}; border: 1px solid {theme.line};
    selection-background-color: {theme.brand_soft};
    selection-color: {theme.text}; outline: none; }}
QComboBox QAbstractItemView::item {{ min-height: 22px; padding: 0 4px; }}
QCheckBox::indicator, QRadioButton::indicator {{
    width: 13px; height: 13px; border: 1px solid {theme.muted}; background: {theme.raised};
}}
QCheckBox::indicator {{ border-radius: 3px; }}
QRadioButton::indicator {{ border-radius: 7px; }}
QCheckBox::indicator:checked {{ border-color: {theme.brand}; background: {theme.brand}; }}
QRadioButton::indicator:checked {{ border: 4px solid {theme.brand}; width: 7px; height: 7px; }}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border-color: {theme.brand}; }}
QSlider::groove:horizontal {{ height: 4px; background: {theme.line}; border-radius: 2px; }}
QSlider::handle:horizontal {{
    width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: {theme.brand};
}}
QSlider::handle:horizontal:hover {{ background: {theme.text}; }}
QStatusBar {{ background: {theme.raised}; border-top: 1px solid {theme.line}; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel {{ color: {theme.muted}; padding: 0 6px; }}
QMenuBar {{ background: {theme.raised}; border-bottom: 1px solid {theme.line}; padding: 2px 6px; }}
QMenuBar::item {{ padding: 4px 9px; border-radius: 5px; background: transparent; }}
QMenuBar::item:selected {{ background: {theme.brand_soft}; }}
QMenu {{ background: {theme.raised}; border: 1px solid {theme.line}; padding: 5px; }}
QMenu::item {{ padding: 5px 26px 5px 22px; border-radius: 4px; }}
QMenu::item:selected {{ background: {theme.brand_soft}; }}
QMenu::item:disabled {{ color: {theme.disabled}; }}
QMenu::separator {{ height: 1px; background: {theme.line}; margin: 5px 8px; }}
QMenu::indicator {{ width: 14px; height: 14px; left: 5px; }}
#menuHead {{ color: {theme.muted}; font-size: 8pt; font-weight: 600; padding: 5px 12px 3px 8px; }}
QSplitter::handle {{ background: {theme.panel}; }}
QProgressBar {{ background: {theme.line}; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }}
QProgressBar::chunk {{ background: {theme.brand}; border-radius: 2px; }}
QScrollArea {{ background: transparent; border: none; }}
#badge {{ background: {theme.text}; color: {theme.panel}; border-radius: 9px; font-weight: 600; font-size: 8pt; }}
QToolButton#link {{ border: none; background: transparent; color: {theme.brand}; padding: 1px 3px; text-align: left; }}
QToolButton#link:hover {{ background: {theme.hover}; }}
QToolButton#link:focus {{ background: {theme.hover}; }}
QToolButton#link:checked {{ background: {theme.brand_soft}; }}
QToolButton#link:disabled {{ color: {theme.muted}; }}
QTableView {{
    background: {theme.raised}; alternate-background-color: {theme.panel}; border: 1px solid {theme.line};
    border-radius: 6px; selection-background-color: {theme.brand_soft}; selection-color: {theme.text}; outline: none;
}}
QHeaderView {{ background: {theme.panel}; border: none; }}
QHeaderView::section {{
    background: {theme.panel}; color: {theme.muted}; border: none; border-bottom: 1px solid {theme.line};
    padding: 5px 3px 4px 3px; font-weight: 600; font-size: 8pt;
}}
QHeaderView::up-arrow, QHeaderView::down-arrow {{
    subcontrol-origin: padding; subcontrol-position: top center; width: 8px; height: 5px;
}}
QTableCornerButton::section {{ background: {theme.panel}; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 9px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {theme.handle}; border-radius: 4px; min-height: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ background: none; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
QPlainTextEdit {{ background: {theme.raised}; border: 1px solid {theme.line}; border-radius: 6px; padding: 4px; }}
"""


def system_theme(application: QApplication) -> Theme:
    """Dark where the desktop is."""
    return DARK if application.styleHints().colorScheme() is Qt.ColorScheme.Dark else LIGHT


def dress(application: QApplication, wanted: str = "system", white_paper: bool = False) -> None:
    """The application's style.

    wanted: light, dark, or system, which follows the desktop while the program runs; white_paper: views draw on white
    in every theme, as figures do.
    """
    if application.style().objectName().lower() != "fusion":
        application.setStyle("Fusion")
        known = set(QFontDatabase.families())
        family = next((name for name in _FAMILIES if name in known), application.font().family())
        application.setFont(QFont(family, 9))
        application.styleHints().colorSchemeChanged.connect(lambda _: _follow(application))
    application.setProperty("theme", wanted)
    application.setProperty("white paper", white_paper)
    _follow(application)


def _follow(application: QApplication) -> None:
    chosen = {"light": LIGHT, "dark": DARK}.get(str(application.property("theme")))
    theme = system_theme(application) if chosen is None else chosen
    _paint(application, theme, WHITE if application.property("white paper") else theme.paper)


def _paint(application: QApplication, theme: Theme, paper: Paper) -> None:
    palette = QPalette()
    for role, color in (
        (QPalette.ColorRole.Window, theme.panel),
        (QPalette.ColorRole.Base, theme.raised),
        (QPalette.ColorRole.Button, theme.raised),
        (QPalette.ColorRole.Text, theme.text),
        (QPalette.ColorRole.WindowText, theme.text),
        (QPalette.ColorRole.ButtonText, theme.text),
        (QPalette.ColorRole.Mid, theme.line),
        (QPalette.ColorRole.Highlight, theme.brand),
        (QPalette.ColorRole.HighlightedText, theme.on_brand),
        (QPalette.ColorRole.PlaceholderText, theme.muted),
    ):
        palette.setColor(role, QColor(color))
    palette.setColor(GROUND, color_of(paper.ground))
    application.setPalette(palette)
    application.setStyleSheet(style_sheet(theme))
