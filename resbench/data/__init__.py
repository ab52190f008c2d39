"""Data: names -> pixels.  A registry, one data set per file in `sets/`, a sealed test split, augmentation."""
