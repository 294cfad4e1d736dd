"""What has left a stream, or may leave it, as files: entries as they stood there, compressed, checked and chained."""
