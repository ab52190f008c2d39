"""Common questions about results, with the SQL that answers them on SQLite and Postgres.  docs/database.md shows them.

A test runs each on a database of either kind. `identity_mappings` and `quickstart` are examples of a study, `plain` of a unit.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A question, a note on its answer, and the SQL."""

    asked: str
    note: str
    sql: str


QUESTIONS = (
    Question(
        "Which unit is best under a budget of parameters?",
        "A plain sort by mean: whether the first is really better than the second is for `resbench results top` to say.",
        """
SELECT unit, network, params, macs, n, mean AS error_pct, std
FROM v_leaderboard
WHERE data = 'digits' AND params <= 2000000 AND converged >= 3
ORDER BY mean
LIMIT 10""",
    ),
    Question(
        "What did every seed of a unit reach?",
        "All seeds are kept, diverged ones too.",
        """
SELECT study, seed, status, val_error_pct, epochs, train_s, run_id
FROM v_runs
WHERE unit = 'plain'
ORDER BY study, seed""",
    ),
    Question(
        "What do the learning curves look like?",
        "Mean and range over seeds, epoch by epoch; `train_error_pct` beside it shows who overfits.",
        """
SELECT unit, epoch, COUNT(*) AS n, AVG(val_error_pct) AS mean, MIN(val_error_pct) AS lowest,
    MAX(val_error_pct) AS highest, AVG(train_error_pct) AS train_mean
FROM v_epochs
WHERE study = 'quickstart' AND status = 'complete'
GROUP BY unit, epoch
ORDER BY unit, epoch""",
    ),
    Question(
        "Accuracy against cost: which units does no other beat in both?",
        "A Pareto front of the means, without their uncertainty.",
        """
SELECT a.unit, a.params, a.macs, a.mean AS error_pct, a.n
FROM v_leaderboard a
WHERE a.study = 'quickstart' AND a.mean IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM v_leaderboard b
    WHERE b.study = a.study AND b.mean <= a.mean AND b.macs <= a.macs AND (b.mean < a.mean OR b.macs < a.macs))
ORDER BY a.macs""",
    ),
    Question(
        "Which units diverge?",
        "A diverged run is counted and never averaged in.",
        """
SELECT study, unit, recipe, n, diverged, 100.0 * diverged / n AS diverged_pct
FROM v_leaderboard
WHERE diverged > 0
ORDER BY diverged_pct DESC, unit""",
    ),
    Question(
        "What differs between two studies?",
        "Unit by unit, where both have the same architecture; recipe and data say what else is not the same.",
        """
SELECT a.unit, a.mean AS first_error_pct, b.mean AS second_error_pct, b.mean - a.mean AS difference,
    a.n AS first_n, b.n AS second_n,
    CASE WHEN a.recipe_digest = b.recipe_digest THEN 'same' ELSE 'other' END AS recipe,
    CASE WHEN a.data_digest = b.data_digest THEN 'same' ELSE 'other' END AS data
FROM v_leaderboard a
JOIN v_leaderboard b ON b.digest = a.digest
WHERE a.study = 'quickstart' AND b.study = 'identity_mappings'
ORDER BY a.unit""",
    ),
    Question(
        "When was the test set looked at, and by whom?",
        "Every look by `resbench results top --test` is a row; the scores themselves are not to be had by SQL.",
        """
SELECT s.name AS study, v.revealed_at, v.revealed_by
FROM rb_reveal v
JOIN rb_study s ON s.id = v.study_id
ORDER BY v.revealed_at""",
    ),
    Question(
        "What was deleted, renamed or noted, when and by whom?",
        "`details` is JSON: of a deleted study its units and how many runs it had, of a note its text.",
        """
SELECT changed_at, changed_by, change, subject, details
FROM rb_change
ORDER BY id""",
    ),
    Question(
        "Which notes are there?",
        "Each is about a study or about a run.",
        """
SELECT COALESCE('study ' || s.name, 'run ' || n.run_id) AS subject, n.note, n.noted_at, n.noted_by
FROM rb_note n
LEFT JOIN rb_study s ON s.id = n.study_id
ORDER BY n.id""",
    ),
    Question(
        "How long did it take, and on what?",
        "Each run once, however many studies show it; `train_s` is training alone, `wall_s` everything.",
        """
SELECT e.device, e.torch, COUNT(*) AS runs, SUM(r.train_s) / 3600 AS train_hours, SUM(r.wall_s) / 3600 AS wall_hours,
    AVG(r.train_s / r.epochs) AS train_s_per_epoch
FROM rb_run r
JOIN rb_environment e ON e.digest = r.environment
WHERE r.status <> 'failed' AND r.epochs > 0
GROUP BY e.device, e.torch
ORDER BY wall_hours DESC""",
    ),
    Question(
        "What is this architecture called elsewhere, and who has trained it?",
        "The start of a digest is enough; two names of one digest are one network.",
        """
SELECT unit, aliases, network, depth, params, input_shape, macs, memory_mib, studies, runs, converged
FROM v_units
WHERE digest LIKE 'a2_%' AND params < 5000000
ORDER BY params, unit""",
    ),
    Question(
        "How good would a study of fewer epochs have been? (NAS-Bench's question)",
        "Error after each epoch against the error at the end, over all complete runs. A schedule that anneals ends later, so "
        "this is the run stopped early and not a shorter recipe.",
        """
SELECT e.unit, e.epoch, AVG(e.val_error_pct) AS then_error_pct, AVG(r.val_error_pct) AS end_error_pct
FROM v_epochs e
JOIN v_runs r ON r.study = e.study AND r.unit = e.unit AND r.run_id = e.run_id
WHERE e.status = 'complete' AND e.study = 'quickstart'
GROUP BY e.unit, e.epoch
ORDER BY e.unit, e.epoch""",
    ),
    Question(
        "Which runs failed or are missing, and why?",
        "A failed run is repeated by the next `resbench study run`; a cell's error is the whole trace.",
        """
SELECT s.name AS study, t.name AS unit, c.seeds, c.status, c.error
FROM rb_cell c
JOIN rb_trial t ON t.id = c.trial_id
JOIN rb_study s ON s.id = t.study_id
WHERE c.status = 'failed' OR c.status = 'running'
ORDER BY c.id""",
    ),
)
