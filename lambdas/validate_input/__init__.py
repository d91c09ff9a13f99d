"""Can these files be loaded? Looks at the objects of one execution and writes its manifest."""
