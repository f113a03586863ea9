"""The same features as users of other tools would write them: scripts that need only their own library.

Each is called as ``python <script> events.parquet out.parquet task.json`` and writes one row for each account
and cutoff at which it has a visible event.
"""
