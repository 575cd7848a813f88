"""What is exported for a paper is typeset by LaTeX, whatever the texts hold."""

import subprocess

import pytest

import gaugeblock
from tests.rows import frame, row, timed

EVIL = r"50% of a_b & c #1 $x^2$ ~ {\input{/etc/hostname}} \end{tabular} < > \\"
PAGE = r"""\documentclass{article}
\usepackage{booktabs}
\begin{document}
%s
\end{document}
"""


def typeset(text, folder):
    """What LaTeX says of a page with this text, and whether there is a page."""
    (folder / "page.tex").write_text(PAGE % text, encoding="utf-8")
    words = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(words, cwd=folder, capture_output=True, encoding="utf-8", errors="replace")
    return done.stdout, (folder / "page.pdf").is_file()


@pytest.mark.parametrize("name", ["agreement", "bits", "departures", "speed", "hardware"])
def test_every_frame_is_a_table_that_latex_typesets(name, tmp_path):
    rows = frame(
        row(status="limited", why=EVIL, limit=EVIL, source=EVIL, contender="torch.nn.a_b", bits=3.0),
        timed(1e-3, case="adam", size="ten-million", direction="training", contender="torch.optim.Adam"),
    )
    text = gaugeblock.latex(getattr(gaugeblock, name)(rows))
    assert r"\toprule" in text and r"\bottomrule" in text
    said, made = typeset(text, tmp_path)
    assert made, said[-1500:]


def test_a_text_is_text_and_no_command(tmp_path):
    text = gaugeblock.latex(gaugeblock.departures(frame(row(status="limited", why=EVIL, bits=3.0))))
    assert r"\input" not in text and r"a\_b \& c \#1" in text
    raw = text.replace(r"\textbackslash ", "\\")
    assert not typeset(raw.replace(r"\{", "{").replace(r"\}", "}").replace(r"\_", "_"), tmp_path)[1]
