using BackupEngine.Service.Api;
using BackupEngine.Service.Catalog;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Volumes;

/// <summary>The volumes of all providers, and their rows in the catalog: a volume that is found gets its row when somebody asks for it.</summary>
internal sealed class VolumeStore(IReadOnlyList<IVolumeProvider> providers, BackupServiceOptions options, TimeProvider time)
{
    /// <summary>The provider that new volumes are made by; null when none can.</summary>
    public IVolumeProvider? Creator => providers.FirstOrDefault(provider => provider.CanCreate);

    public IVolumeProvider ProviderOf(VolumeRow volume) =>
        providers.FirstOrDefault(provider => provider.Name == volume.Provider)
        ?? throw ApiFault.Unavailable($"Volume {volume.Id} belongs to a provider that is not configured.");

    /// <summary>The snapshots that are there, and when they were taken.</summary>
    public IEnumerable<(string Id, DateTime TakenAt)> ListSnapshots() => providers.SelectMany(provider => provider.ListSnapshots());

    /// <summary>Removes the bytes of a snapshot; none is no error.</summary>
    public void DeleteSnapshot(string snapshotId)
    {
        foreach (IVolumeProvider provider in providers)
        {
            provider.DeleteSnapshot(snapshotId);
        }
    }

    /// <summary>Enters all volumes that the catalog does not know.</summary>
    public async Task DiscoverAsync(CatalogContext catalog, CancellationToken cancellationToken)
    {
        HashSet<string> known = [.. await catalog.Volumes.Select(volume => volume.Id).ToListAsync(cancellationToken)];
        foreach (IVolumeProvider provider in providers)
        {
            foreach (FoundVolume found in provider.List().Where(found => !known.Contains(found.Id)))
            {
                await EnterAsync(catalog, provider, found, cancellationToken);
            }
        }
    }

    /// <summary>The volume with an id, as far as a caller may know of it. Its size is brought up to date.</summary>
    /// <exception cref="ApiFault">404.</exception>
    public async Task<VolumeRow> FindAsync(CatalogContext catalog, ApiRequest request, string id, CancellationToken cancellationToken)
    {
        VolumeRow? volume = await catalog.Volumes.AsNoTracking().FirstOrDefaultAsync(row => row.Id == id, cancellationToken);
        if (volume is null)
        {
            foreach (IVolumeProvider provider in providers)
            {
                if (provider.Find(id) is { } found)
                {
                    await EnterAsync(catalog, provider, found, cancellationToken);
                    volume = await catalog.Volumes.AsNoTracking().FirstOrDefaultAsync(row => row.Id == id, cancellationToken);
                    break;
                }
            }
        }

        if (volume is null || !request.Caller.Sees(volume.ProjectId))
        {
            throw ApiFault.NotFound("Volume", id);
        }

        await UpdateSizeAsync(catalog, volume, cancellationToken);
        return volume;
    }

    // The storage says how large a volume is: it may have grown behind our back.
    private async Task UpdateSizeAsync(CatalogContext catalog, VolumeRow volume, CancellationToken cancellationToken)
    {
        IVolumeProvider? provider = providers.FirstOrDefault(provider => provider.Name == volume.Provider);
        if (volume.BusyJobId is not null || provider?.Find(volume.Id) is not { } found || found.SizeBytes == volume.SizeBytes)
        {
            return;
        }

        volume.SizeBytes = found.SizeBytes;
        volume.Size = ByteSizes.GiB(found.SizeBytes);
        await catalog.Volumes.Where(row => row.Id == volume.Id && row.BusyJobId == null).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.SizeBytes, volume.SizeBytes).SetProperty(row => row.Size, volume.Size), cancellationToken);
    }

    private async Task EnterAsync(CatalogContext catalog, IVolumeProvider provider, FoundVolume found, CancellationToken cancellationToken)
    {
        catalog.Volumes.Add(new()
        {
            Id = found.Id,
            ProjectId = options.FoundVolumesProject ?? "",
            UserId = "",
            Provider = provider.Name,
            Name = found.Name,
            Status = VolumeStates.Available,
            Size = ByteSizes.GiB(found.SizeBytes),
            SizeBytes = found.SizeBytes,
            AvailabilityZone = options.AvailabilityZone,
            CreatedAt = time.Now(),
        });
        try
        {
            await catalog.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException) when (catalog.Volumes.AsNoTracking().Any(row => row.Id == found.Id))
        {
            // Another request found it, too.
        }

        catalog.ChangeTracker.Clear();
    }
}
