# From file events to records: the pipeline, and the thread that feeds it.
reeve_library(reeve_audit_watch SOURCES late_closer.cpp pipeline.cpp pipeline_processes.cpp pipeline_waiting.cpp watcher.cpp
              PUBLIC reeve_audit reeve_platform_watch)
