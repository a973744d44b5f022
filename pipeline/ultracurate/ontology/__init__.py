"""The ontology: anatomy tree, views, pathology and modality axes, and how dataset labels become its ids."""
