using System.Reflection;
using BackupEngine.Catalog;
using BackupEngine.Hashing;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Misuse;

/// <summary>Options that make no sense are refused where they enter, before anything is stored.</summary>
public sealed class OptionTests
{
    public static TheoryData<string, string> EnumOptions
    {
        get
        {
            TheoryData<string, string> data = [];
            foreach (PropertyInfo property in OptionEnums.Find(typeof(BackupRepository).Assembly))
                data.Add(property.DeclaringType!.FullName!, property.Name);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(EnumOptions))]
    public async Task Options_UndefinedEnumeration_AreRefused(string typeName, string propertyName)
    {
        Type type = typeof(BackupRepository).Assembly.GetType(typeName)!;
        PropertyInfo property = type.GetProperty(propertyName)!;
        await using var store = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(store);
        Backup full = await repository.FullAsync(new MemoryVolume(Repositories.Noise(100_000)));
        List<string> keys = await store.ListKeysAsync();
        foreach (int number in new[] { 0, 99, -99 }.Where(number => !OptionEnums.IsDefined(property, number)))
        {
            object options = Create(type);
            OptionEnums.SetUndefined(property, options, number);
            ArgumentException e = await Assert.ThrowsAnyAsync<ArgumentException>(() => UseAsync(repository, full, options));
            Assert.Contains(propertyName, e.Message, StringComparison.Ordinal);
        }

        Assert.Equal(keys, await store.ListKeysAsync());
    }

    [Fact]
    public async Task Backup_DefaultHash_IsRefusedAndBlocksNothing()
    {
        await using var store = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(store);
        byte[] content = Repositories.Noise(100_000);
        await repository.FullAsync(new MemoryVolume(content));
        await Assert.ThrowsAsync<ArgumentException>(() => repository.FullAsync(new MemoryVolume(content), new BackupOptions { VolumeId = Repositories.VolumeId, Hash = default(ChunkHash) }));
        Backup incremental = await repository.IncrementalAsync(new MemoryVolume(content));
        VolumeAssert.Same(content, await repository.RestoreOverAsync(incremental), "the incremental after the refused backup");
    }

    [Fact]
    public async Task Repository_NullTimeProvider_IsRefused()
    {
        await using var store = new InMemoryObjectStore();
        await Assert.ThrowsAsync<ArgumentException>(() => BackupRepository.OpenOrCreateAsync(store, new RepositoryOptions { TimeProvider = null! }, Repositories.Token));
        Assert.Empty(await store.ListKeysAsync());
    }

    [Fact]
    public async Task Backup_NullMetadataValue_IsRefused()
    {
        await using var store = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(store);
        var options = new BackupOptions { VolumeId = Repositories.VolumeId, Metadata = new Dictionary<string, string> { ["key"] = null! } };
        await Assert.ThrowsAsync<ArgumentException>(() => repository.FullAsync(new MemoryVolume(1000), options));
    }

    private static object Create(Type type) => type == typeof(BackupOptions) ? new BackupOptions { VolumeId = Repositories.VolumeId } : Activator.CreateInstance(type)!;

    /// <summary>Hands options to the operation that takes them. A new options type with an enumeration belongs here.</summary>
    private static Task UseAsync(BackupRepository repository, Backup backup, object options) => options switch
    {
        BackupOptions how => repository.BackupAsync(new MemoryVolume(1000), how, cancellationToken: Repositories.Token),
        RestoreOptions how => repository.RestoreAsync(backup.Id, new MemoryVolume((int)backup.SizeBytes), how, cancellationToken: Repositories.Token),
        ReadOptions how => repository.OpenReadAsync(backup.Id, how, Repositories.Token),
        VerifyOptions how => repository.VerifyAsync(how, cancellationToken: Repositories.Token),
        PruneOptions how => repository.PruneAsync(how, Repositories.Token),
        RepairOptions how => repository.RepairAsync(how, cancellationToken: Repositories.Token),
        _ => throw new InvalidOperationException($"Say here which operation takes {options.GetType()}."),
    };
}
