"""What do we promise about files, whatever happens? Histories of uploads, faults and endings."""
