"""The colour palettes of the themes."""

from __future__ import annotations

from dataclasses import replace

from pyd_tui.dashboard.theme.styles import StylePalette

DARK = StylePalette(
    name="pyd-dark",
    dark=True,
    background="#0f1319",
    panel="#1a212b",
    cursor="#24364f",
    cursor_blur="#1c2531",
    selection="#5a4a1a",
    text="#d5dce5",
    dim="#8592a3",
    faint="#3a4553",
    accent="#74b8f5",
    good="#66cc92",
    warn="#e5b65a",
    bad="#f5808a",
    info="#c3a0f2",
)

LIGHT = StylePalette(
    name="pyd-light",
    dark=False,
    background="#fbfbf9",
    panel="#e9ecf0",
    cursor="#cfe1f7",
    cursor_blur="#e6ebf1",
    selection="#ffe08a",
    text="#1d2530",
    dim="#5c6776",
    faint="#bcc4ce",
    accent="#0a58b8",
    good="#176f3d",
    warn="#865300",
    bad="#bd1f2d",
    info="#6a3fb5",
    sources=("#1256a8", "#8f4a00", "#176f3d", "#8a2fa3", "#00696f", "#665f00"),
)

HIGH_CONTRAST = StylePalette(
    name="pyd-high-contrast",
    dark=True,
    background="#000000",
    panel="#1c1c1c",
    cursor="#003f8a",
    cursor_blur="#303030",
    selection="#7a5c00",
    text="#ffffff",
    dim="#d0d0d0",
    faint="#8a8a8a",
    accent="#5fd7ff",
    good="#5fff87",
    warn="#ffd75f",
    bad="#ff8787",
    info="#ffafff",
    sources=("#87d7ff", "#ffaf5f", "#87ffaf", "#ffafff", "#5fffff", "#ffff87"),
)
"""Contrast of at least 7:1 for all text (WCAG 2 AAA)."""

COLOUR_BLIND = replace(
    DARK,
    name="pyd-colour-blind",
    selection="#4a4a4a",
    text="#e4e7eb",
    dim="#939eac",
    accent="#f0e442",
    good="#56b4e9",
    warn="#e69f00",
    bad="#ff7f50",
    info="#d58fb8",
    sources=("#56b4e9", "#e69f00", "#2fc79b", "#d58fb8", "#f0e442", "#ff7f50"),
)
"""After the palette of Okabe and Ito (2008), distinguishable with any colour vision: good is blue, bad is orange."""

PLAIN = StylePalette(
    name="pyd-plain",
    dark=True,
    background="ansi_default",
    panel="ansi_default",
    cursor="ansi_cursor",
    cursor_blur="ansi_default",
    selection="ansi_default",
    text="ansi_default",
    dim="ansi_default",
    faint="ansi_default",
    accent="ansi_default",
    good="ansi_default",
    warn="ansi_default",
    bad="ansi_default",
    info="ansi_default",
    sources=("ansi_default",) * 6,
    plain=True,
    ansi=True,
)

SIXTEEN = replace(
    PLAIN,
    name="pyd-16",
    accent="ansi_cyan",
    good="ansi_green",
    warn="ansi_yellow",
    bad="ansi_red",
    info="ansi_magenta",
    sources=("ansi_blue", "ansi_yellow", "ansi_green", "ansi_magenta", "ansi_cyan", "ansi_red"),
    plain=False,
)
