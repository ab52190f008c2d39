"""The view v_leaderboard: a plain summary of the runs of a unit.

It counts by windows instead of GROUP BY, because SQLite pushes a `WHERE study = ..` down through those, and then reads only that
study. Not every SQLite has `sqrt`, so the standard deviation is computed by Newton's method, s to (s + variance / s) / 2. The
initial s0 is within a factor of 2 for up to half a million runs: the variance of n values is between extent^2 / (2 (n - 1)) and
extent^2 n / (4 (n - 1)), and CASE selects the range. With t = (s - sd) / (s + sd), a step squares t; six steps give 1/3 to the
64th, far below the precision of a double.
"""

from __future__ import annotations

from resbench.store.schema.view import COST, DATA, DIGEST, STUDY, UNIT, View

V_LEADERBOARD = View(
    "v_leaderboard",
    "one row per study, unit, recipe and data set; a plain summary: intervals and tie groups are in `results top`",
    (
        *(STUDY, UNIT, ("active", "1 while the study still wants the unit, else 0"), DIGEST, *DATA),
        ("n", "runs that came to their end: complete and diverged"),
        ("converged", "runs that are complete"),
        ("diverged", "runs that diverged"),
        ("stopped", "runs by which a search chose, stopped at a rung or not; in no other column"),
        ("failed", "runs lost to the machine and not yet repeated; in no other column"),
        ("mean", "mean of val_error_pct over converged runs"),
        ("std", "its standard deviation (n - 1) over converged runs"),
        ("min", "the smallest, over converged runs"),
        ("max", "the largest, over converged runs"),
        (
            "median",
            "median over all n runs, a diverged one worse than any number; NULL where it falls on a diverged one",
        ),
        *COST,
        ("train_s", "mean seconds of training of converged runs"),
    ),
    """
CREATE VIEW v_leaderboard AS
WITH told AS (
    SELECT r.study, r.unit, r.active, r.digest, r.network, r.recipe, r.recipe_digest, r.data, r.data_digest,
        r.val_error_pct, r.params, r.macs, r.train_s, r.run_id,
        CASE WHEN r.judges THEN r.status ELSE 'stopped' END AS status
    FROM v_runs r
), scored AS (
    SELECT v.*,
        CASE WHEN v.status = 'complete' THEN v.val_error_pct END AS score,
        AVG(CASE WHEN v.status = 'complete' THEN v.val_error_pct END) OVER cell AS mean,
        COUNT(CASE WHEN v.status IN ('complete', 'diverged') THEN 1 END) OVER cell AS n,
        ROW_NUMBER() OVER (
            PARTITION BY v.study, v.unit, v.digest, v.recipe_digest, v.data_digest
            ORDER BY CASE v.status WHEN 'complete' THEN 0 WHEN 'diverged' THEN 1 ELSE 2 END,
                CASE WHEN v.status = 'complete' THEN v.val_error_pct END, v.run_id) AS place
    FROM told v
    WINDOW cell AS (PARTITION BY v.study, v.unit, v.digest, v.recipe_digest, v.data_digest)
), summed AS (
    SELECT w.*,
        COUNT(score) OVER cell AS converged,
        COUNT(CASE WHEN status = 'diverged' THEN 1 END) OVER cell AS diverged,
        COUNT(CASE WHEN status = 'stopped' THEN 1 END) OVER cell AS stopped,
        COUNT(CASE WHEN status = 'failed' THEN 1 END) OVER cell AS failed,
        SUM((score - mean) * (score - mean)) OVER cell AS squares,
        MIN(score) OVER cell AS lowest,
        MAX(score) OVER cell AS highest,
        COUNT(CASE WHEN status = 'diverged' AND 2 * place BETWEEN n AND n + 2 THEN 1 END) OVER cell AS no_median,
        AVG(CASE WHEN 2 * place BETWEEN n AND n + 2 THEN score END) OVER cell AS median,
        AVG(CASE WHEN status = 'complete' THEN train_s END) OVER cell AS mean_train_s,
        MAX(CASE WHEN active THEN 1 ELSE 0 END) OVER cell AS wanted
    FROM scored w
    WINDOW cell AS (PARTITION BY study, unit, digest, recipe_digest, data_digest)
), spread AS (
    SELECT x.*, squares / NULLIF(converged - 1, 0) AS variance, highest - lowest AS extent
    FROM summed x
    WHERE place = 1
), root0 AS (
    SELECT x.*, extent * CASE
        WHEN NOT (squares > 0 AND extent > 0) THEN NULL
        WHEN 16 * variance >= extent * extent THEN 0.42
        WHEN 256 * variance >= extent * extent THEN 0.125
        WHEN 4096 * variance >= extent * extent THEN 0.03125
        WHEN 65536 * variance >= extent * extent THEN 0.0078125
        ELSE 0.001953125 END AS s0
    FROM spread x
), root1 AS (SELECT x.*, (s0 + variance / s0) / 2 AS s1 FROM root0 x
), root2 AS (SELECT x.*, (s1 + variance / s1) / 2 AS s2 FROM root1 x
), root3 AS (SELECT x.*, (s2 + variance / s2) / 2 AS s3 FROM root2 x
), root4 AS (SELECT x.*, (s3 + variance / s3) / 2 AS s4 FROM root3 x
), root5 AS (SELECT x.*, (s4 + variance / s4) / 2 AS s5 FROM root4 x
)
SELECT study, unit, wanted AS active, digest, network, recipe, recipe_digest, data, data_digest,
    n, converged, diverged, stopped, failed, mean,
    CASE WHEN converged > 1 THEN COALESCE((s5 + variance / s5) / 2, 0.0) END AS std,
    lowest AS min, highest AS max, CASE WHEN no_median = 0 THEN median END AS median,
    params, macs, mean_train_s AS train_s
FROM root5
UNION ALL
SELECT r.architecture, r.architecture, r.epochs, r.architecture, r.architecture, r.recipe, r.recipe, r.data, r.data,
    r.seed, r.seed, r.seed, r.seed, r.seed, r.val_error_pct,
    r.val_error_pct,
    r.val_error_pct, r.val_error_pct, r.val_error_pct,
    r.seed, r.seed, r.train_s
FROM rb_run r
WHERE 1 = 0
""",
)
