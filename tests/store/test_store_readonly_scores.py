"""`query` never reads a test score, by whatever way."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from store_asked import ask
from store_sample import Sample

from resbench.errors import BadInput
from resbench.store.connection.transaction import writing

pytestmark = pytest.mark.sqlite

SCORES = [
    "SELECT * FROM rb_test_score",
    "SELECT count(*) FROM rb_test_score",
    "SELECT 1 FROM rb_test_score",
    "SELECT rowid FROM rb_test_score",
    "SELECT count(*) FROM RB_Test_Score AS innocent",
    "SELECT x.sealed FROM rb_test_score AS x",
    'SELECT x."SEALED" FROM main."RB_TEST_SCORE" x',
    "SELECT [sealed] FROM [rb_test_score]",
    "SELECT `sealed` FROM `rb_test_score`",
    "SELECT * FROM v_runs JOIN rb_test_score USING (run_id)",
    "SELECT * FROM v_runs NATURAL JOIN rb_test_score",
    "SELECT * FROM rb_run r LEFT JOIN rb_test_score t ON t.run_id = r.id",
    "SELECT (SELECT sealed FROM rb_test_score LIMIT 1)",
    "SELECT * FROM (SELECT sealed AS a FROM rb_test_score)",
    "WITH t AS (SELECT sealed AS a FROM rb_test_score) SELECT avg(a) FROM t",
    "SELECT id FROM rb_run WHERE EXISTS (SELECT 1 FROM rb_test_score t WHERE t.run_id = id AND t.sealed < 6)",
    "SELECT id FROM rb_run ORDER BY (SELECT sealed FROM rb_test_score WHERE run_id = id)",
    "SELECT id FROM rb_run WHERE id IN rb_test_score",
    "SELECT 1 UNION SELECT sealed FROM rb_test_score",
    "SELECT json_group_array(sealed) FROM rb_test_score",
    "SELECT sum(sealed) OVER () FROM rb_test_score",
    "EXPLAIN SELECT * FROM rb_test_score",
    "SELECT * FROM sneaky",
    "SELECT n FROM sneaky_count",
]


@pytest.mark.parametrize("sql", SCORES)
def test_test_scores_are_not_read_by_any_way(sample: Sample, full: str, sql: str) -> None:
    with writing(sample.engine) as connection:
        connection.execute(text("CREATE VIEW sneaky AS SELECT sealed AS a FROM rb_test_score"))
        connection.execute(text("CREATE VIEW sneaky_count AS SELECT count(*) AS n FROM rb_test_score"))
    with pytest.raises(BadInput, match="`resbench results top STUDY --test` shows them"):
        ask(full, sql)
