"""One self-contained HTML page that explains a run: what went in, what came out, and why the rest did not."""
