"""How a low-resolution image is made: (hr, scale) to lr, one file each."""
