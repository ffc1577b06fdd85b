"""The feed process: sockets in, records out. The protocol core is sans-IO; sockets and clocks are thin shells."""
