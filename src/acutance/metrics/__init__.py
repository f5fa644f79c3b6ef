"""What is printed about an image: (sr, hr) to a number, one file each."""
