"""Who is learned from and who is tested: protocols of pages and recordings, partitions."""
