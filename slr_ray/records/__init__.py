"""What lies on disk below a run or a result: typed records, stages, who owns a folder."""
