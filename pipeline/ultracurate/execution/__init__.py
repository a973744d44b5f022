"""Where jobs run; the only package that imports Dask."""
