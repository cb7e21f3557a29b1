using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace BackupEngine.Service.Catalog;

/// <summary>The catalog database: what there is, whose it is, and what is happening to it.</summary>
internal abstract class CatalogContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<BackupRow> Backups => Set<BackupRow>();

    public DbSet<VolumeRow> Volumes => Set<VolumeRow>();

    public DbSet<SnapshotRow> Snapshots => Set<SnapshotRow>();

    public DbSet<QuotaRow> Quotas => Set<QuotaRow>();

    /// <summary>Compares text by its bytes, so that a page's end means the same to the database and to us.</summary>
    protected abstract string OrdinalCollation { get; }

    /// <summary>Makes the rest of the open transaction the only one of its kind for a project, until it ends.</summary>
    public abstract Task LockProjectAsync(string projectId, CancellationToken cancellationToken);

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<string>().UseCollation(OrdinalCollation);

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        EntityTypeBuilder<BackupRow> backups = modelBuilder.Entity<BackupRow>().ToTable("backups");
        backups.HasKey(backup => backup.Id);
        backups.HasQueryFilter(backup => backup.DeletedAt == null);
        backups.HasIndex(backup => new { backup.ProjectId, backup.CreatedAt, backup.Id });
        backups.HasIndex(backup => new { backup.CreatedAt, backup.Id });
        backups.HasIndex(backup => new { backup.VolumeId, backup.DataTimestamp });
        backups.HasIndex(backup => backup.ParentId);
        backups.HasIndex(backup => backup.JobId).HasFilter("job_id IS NOT NULL");
        backups.HasIndex(backup => backup.DeletedAt).HasFilter("deleted_at IS NOT NULL");

        // Filters that everybody may use, each in the order that lists have: otherwise a filter that fits little reads through a whole project.
        backups.HasIndex(backup => new { backup.ProjectId, backup.Name, backup.CreatedAt, backup.Id });
        backups.HasIndex(backup => new { backup.Name, backup.CreatedAt, backup.Id });
        backups.HasIndex(backup => new { backup.ProjectId, backup.Status, backup.CreatedAt, backup.Id });
        backups.HasIndex(backup => new { backup.ProjectId, backup.VolumeId, backup.CreatedAt, backup.Id });

        EntityTypeBuilder<VolumeRow> volumes = modelBuilder.Entity<VolumeRow>().ToTable("volumes");
        volumes.HasKey(volume => volume.Id);
        volumes.HasIndex(volume => new { volume.ProjectId, volume.CreatedAt, volume.Id });
        volumes.HasIndex(volume => volume.BusyJobId);

        EntityTypeBuilder<SnapshotRow> snapshots = modelBuilder.Entity<SnapshotRow>().ToTable("snapshots");
        snapshots.HasKey(snapshot => snapshot.Id);
        snapshots.HasIndex(snapshot => snapshot.VolumeId);
        snapshots.HasIndex(snapshot => snapshot.BusyJobId);

        modelBuilder.Entity<QuotaRow>().ToTable("quotas").HasKey(quota => new { quota.ProjectId, quota.Resource });
        foreach (IMutableProperty property in modelBuilder.Model.GetEntityTypes().SelectMany(entity => entity.GetProperties()))
        {
            property.SetColumnName(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
        }
    }
}
