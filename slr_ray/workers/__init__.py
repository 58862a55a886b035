"""Ray, machines and processes: sessions, resources, tasks on workers."""
