using Google.Protobuf;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Storage.V1;

namespace Roster.Engine.Tests.Catalog;

/// <summary>Tenants of a store that other processes write too.</summary>
public sealed class TenantDirectoryTests
{
    private readonly ManualClock _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly List<StoredDocument> _stored = [];
    private readonly Dictionary<int, long> _versions = [];

    [Fact]
    public void A_version_is_counted_once_when_what_was_written_is_read_again_before_the_writer_goes_on()
    {
        var directory = Open();
        var owner = directory.Get("acme");
        Assert.Equal((1, 1L, 1L), (owner.Number, directory.VersionOf(1), _versions[1]));
    }

    [Fact]
    public void Two_changes_in_one_commit_raise_the_version_once()
    {
        var directory = Open();
        directory.Get("acme");
        _versions[1] = 2;
        directory.RaiseVersion(1, 2);
        directory.RaiseVersion(1, 2);
        directory.RaiseVersion(0, 3);
        directory.RaiseVersion(0, 2);
        Assert.Equal((2L, 3L), (directory.VersionOf(1), directory.VersionOf(0)));
        _stored.Add(new StoredDocument(2, DocumentKinds.Tenant, "other", new TenantDocument { Number = 2, Id = "other" }.ToByteArray()));
        _versions[2] = 5;
        directory.Refresh(_stored, _versions);
        Assert.Equal((2L, 5L), (directory.VersionOf(1), directory.VersionOf(2)));
    }

    private TenantDirectory Open()
    {
        TenantDirectory? directory = null;
        directory = new TenantDirectory([], Commit, _clock) { ReadStored = () => ([.. _stored], new Dictionary<int, long>(_versions)) };
        return directory;

        // As a host commits; between the commit and the next line another thread looks at the store.
        void Commit(IReadOnlyList<StoredDocument> documents)
        {
            var decidedOn = documents.Select(d => (d.Tenant, Version: directory!.VersionOf(d.Tenant))).ToList();
            _stored.AddRange(documents);
            decidedOn.ForEach(d => Assert.Equal(d.Version, _versions.GetValueOrDefault(d.Tenant)));
            decidedOn.ForEach(d => _versions[d.Tenant] = d.Version + 1);
            directory!.Refresh(_stored, _versions);
            decidedOn.ForEach(d => directory.RaiseVersion(d.Tenant, d.Version + 1));
        }
    }
}
