"""From the socket: real frames over loopback at full speed, into our ring and into bare receive loops."""
