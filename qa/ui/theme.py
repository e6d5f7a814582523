"""How the page looks: Gradio theme, style sheets, scripts."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"
STATIC_URL = "qa-static"
STYLE_SHEETS = [STATIC / "page.css", STATIC / "evaluation.css", STATIC / "encoders.css"]
SCRIPT = "".join(f'<script src="{STATIC_URL}/{name}.js"></script>' for name in ("page", "feedback", "encoders"))

def routes() -> list[BaseRoute]:
    """Where the browser finds the script and the fonts."""
    return [Mount(f"/{STATIC_URL}", StaticFiles(directory=STATIC))]


def theme() -> gr.themes.Base:
    """Paper and ink. The colours are those of page.css, where the page's own pieces take them from."""
    stone = gr.themes.colors.stone
    look = gr.themes.Base(
        primary_hue=gr.themes.colors.emerald,
        secondary_hue=stone,
        neutral_hue=stone,
        radius_size=gr.themes.sizes.radius_md,
        font=["QA Sans", "system-ui", "sans-serif"],  # page.css has the font faces, from static/fonts
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"],
    )
    return look.set(
        body_background_fill="#faf8f3",
        body_background_fill_dark="#171614",
        body_text_color="#211f1b",
        body_text_color_dark="#ece8e0",
        body_text_color_subdued="#625c51",
        body_text_color_subdued_dark="#aaa396",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_shadow="none",
        block_padding="0px",
        input_background_fill="#ffffff",
        input_background_fill_dark="#211f1c",
        input_border_color="#8f8777",
        input_border_color_dark="#6f685b",
        input_border_width="1px",
        input_border_color_focus="#1f5c49",
        input_border_color_focus_dark="#8ccdb4",
        input_placeholder_color="#6b6457",
        input_placeholder_color_dark="#a09888",
        button_primary_background_fill="#1f5c49",
        button_primary_background_fill_hover="#17463a",
        button_primary_text_color="#ffffff",
        button_primary_background_fill_dark="#8ccdb4",
        button_primary_background_fill_hover_dark="#a5dcc6",
        button_primary_text_color_dark="#10241d",
        border_color_primary="#e4dfd4",
        border_color_primary_dark="#35322c",
    )
