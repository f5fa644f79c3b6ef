"""How weights are fitted: one file each; see `acutance.resolve` for how they are found."""
