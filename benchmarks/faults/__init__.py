"""What faults do to a night: servers that go away, workers that are killed, full disks, poison.

Each fault befalls a night of its own on real servers; then the night is let end as an orchestrator
would have it end, by trying a task again, and its tables are compared with an undisturbed night's.
"""
