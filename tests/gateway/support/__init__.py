"""What the gateway's tests share: a small partitioned library, subgraphs in memory, faults at the transport."""
