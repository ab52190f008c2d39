"""The faces of a clock -> the data set `clocks`: 1x16x16, 12 classes; 864 train, 96 val (a tenth, drawn), 240 test."""

from resbench.plugin import DatasetInfo, dataset

INFO = DatasetInfo(
    "clocks", (1, 16, 16), 12, n_train=864, n_val=96, n_test=240, source="drawn by `clocks`", licence="MIT"
)


@dataset(INFO)
def clocks():  # type: ignore[no-untyped-def]
    from clocks.faces import Faces
    from resbench.plugin import from_items

    return from_items(INFO, {"train": Faces(960), "test": Faces(240, start=960)})
