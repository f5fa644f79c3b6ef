"""Networks, LR to SR: one file each; see `acutance.resolve` for how they are found."""
