"""Networks that tell HR images from SR images: one file each; only training needs them."""
