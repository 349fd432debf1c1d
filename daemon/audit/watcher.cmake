# From file events to records: the pipeline, and the thread that feeds it.
reeve_library(reeve_audit_watch SOURCES denials.cpp late_closer.cpp pipeline.cpp pipeline_network.cpp pipeline_processes.cpp pipeline_records.cpp pipeline_reports.cpp
              pipeline_waiting.cpp watcher.cpp watcher_reports.cpp
              PUBLIC reeve_audit reeve_access reeve_egress_contract reeve_platform_watch)
