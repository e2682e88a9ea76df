[assembly: AssemblyFixture(typeof(Roster.Storage.Postgres.Tests.Databases))]
