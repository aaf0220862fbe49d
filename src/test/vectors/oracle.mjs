// What PostgreSQL's own parse tree says of a statement, in the words of StatementFacts.
import { readFileSync } from 'node:fs';

const names = new Map();
for (const line of readFileSync(new URL('../../main/resources/dev/tenantry/sql/pg-names.txt', import.meta.url), 'utf8').trim().split('\n')) {
  const [name, codes] = line.split(' ');
  names.set(name, codes);
}
const ours = new Set(readFileSync(new URL('../../main/resources/dev/tenantry/sql/tenantry-names.txt', import.meta.url), 'utf8').trim().split('\n'));
const serials = new Set(['serial', 'serial2', 'serial4', 'serial8', 'smallserial', 'bigserial']);
const has = (name, pattern) => pattern.test(names.get(name) ?? '');
const isKnownFunction = (name) => has(name, /[fF]/);
const isKnownType = (name) => has(name, /t|^C/) || serials.has(name);
const isCatalogRelation = (name) => has(name, /[rg]/);
const strings = (list) => (list ?? []).map((item) => item.String?.sval ?? (item.A_Star ? '*' : undefined));
const listOf = (node) => strings(node?.List?.items);

class Facts {
  schemas = new Set();
  relation = false;
  other = false;
  catalog = false;
  tenantry = new Set();

  schema(name) {
    if (name !== 'pg_catalog' && name !== 'information_schema') this.schemas.add(name);
  }

  isOurs(schema, name) {
    if (ours.has(name) && (schema === undefined || schema === 'public' || schema === 'pg_catalog')) {
      this.tenantry.add(name);
      return true;
    }
    return false;
  }

  relationName(schema, name, tables) {
    if (schema === undefined && tables?.includes(name)) return;
    if (this.isOurs(schema, name)) return;
    if (schema === 'pg_catalog' || schema === 'information_schema') this.catalog = true;
    else if (schema !== undefined) this.schema(schema);
    else if (isCatalogRelation(name)) this.catalog = true;
    else this.relation = true;
  }

  relationList(parts) {
    if (parts.length > 0) this.relationName(parts.at(-2), parts.at(-1));
  }

  function(parts) {
    const [schema, name] = [parts.at(-2), parts.at(-1)];
    if (this.isOurs(schema, name)) return;
    if (schema !== undefined) this.schema(schema);
    else if (!isKnownFunction(name)) this.other = true;
  }

  type(parts) {
    if (parts.length > 1) this.schema(parts.at(-2));
    else if (!isKnownType(parts[0])) this.other = true;
  }

  object(parts) {
    if (parts.length > 1) this.schema(parts.at(-2));
    else this.other = true;
  }

  reference(parts) {
    if (parts.length > 1) this.schema(parts.at(-2));
  }

  /** The text of a literal that PostgreSQL reads as a name. */
  literal(kind, text) {
    if (kind === 'namespace') {
      const parts = split(text);
      if (parts?.length === 1) this.schema(parts[0]);
      return;
    }
    let bare = kind === 'routine' || kind === 'type' ? text.split('(')[0] : text;
    if (kind === 'type') bare = bare.replaceAll('[]', '');
    const parts = split(bare);
    if (!parts || parts.length === 0 || /^(\d+|-)$/.test(bare)) return;
    if (parts.length > 1) this.schema(parts.at(-2));
    else if (kind === 'relation') this.relation ||= !isCatalogRelation(parts[0]);
    else if (kind === 'routine') this.other ||= !isKnownFunction(parts[0]);
    else this.other ||= !(isKnownType(parts[0]) || parts[0] === 'double');
  }
}

/** PostgreSQL's 63 bytes. */
const truncated = (name) => (new TextEncoder().encode(name).length > 63 ? name.slice(0, 63) : name);

function split(text) {
  const parts = [];
  let rest = text.trim();
  if (rest === '') return [];
  for (;;) {
    let match = /^"((?:[^"]|"")*)"\s*/.exec(rest);
    if (match) parts.push(truncated(match[1].replaceAll('""', '"')));
    else {
      match = /^([^\s.]+)\s*/.exec(rest);
      if (!match) return undefined;
      parts.push(truncated(match[1].replace(/[A-Z]/g, (c) => c.toLowerCase())));
    }
    rest = rest.slice(match[0].length);
    if (rest === '') return parts;
    if (!rest.startsWith('.')) return undefined;
    rest = rest.slice(1).trimStart();
  }
}

const regKinds = { regclass: 'relation', regproc: 'routine', regprocedure: 'routine', regtype: 'type', regnamespace: 'namespace' };
const literalFunctions = {
  nextval: 'relation', currval: 'relation', setval: 'relation', to_regclass: 'relation', pg_get_serial_sequence: 'relation',
  pg_relation_size: 'relation', pg_total_relation_size: 'relation', pg_table_size: 'relation', pg_indexes_size: 'relation',
  pg_sequence_last_value: 'relation', to_regproc: 'routine', to_regprocedure: 'routine', to_regtype: 'type',
  to_regnamespace: 'namespace',
};
const relationKinds = /OBJECT_(TABLE|VIEW|SEQUENCE|MATVIEW|INDEX|FOREIGN_TABLE)$/;
const onRelationKinds = /OBJECT_(COLUMN|TABCONSTRAINT|TRIGGER|RULE|POLICY)$/;
const objectKinds = /OBJECT_(COLLATION|CONVERSION|STATISTIC_EXT|TSPARSER|TSDICTIONARY|TSTEMPLATE|TSCONFIGURATION)$/;

/** The object of DROP, COMMENT, ALTER ... : a node that has no type of its own. */
function named(facts, kind, node) {
  if (!node) return;
  if (relationKinds.test(kind)) facts.relationList(listOf(node));
  else if (onRelationKinds.test(kind)) facts.relationList(listOf(node).slice(0, -1));
  else if (objectKinds.test(kind)) facts.object(listOf(node));
  else if (/OBJECT_OP(CLASS|FAMILY)$/.test(kind)) facts.object(listOf(node).slice(1));
  else walk(facts, node, []);
}

const special = {
  A_Const() {},
  VariableSetStmt() {},
  LockingClause() {},
  ColumnRef(facts, node) {
    const parts = strings(node.fields);
    if (parts.length < 3) return;
    const at = parts.length === 3 ? 0 : 1;
    if (!facts.isOurs(parts[at], parts[at + 1])) facts.schema(parts[at]);
  },
  TypeCast(facts, node, tables) {
    walk(facts, node.arg, tables);
    typeName(facts, node.typeName);
    const parts = strings(node.typeName.names);
    const kind = parts.length === 1 || parts[0] === 'pg_catalog' ? regKinds[parts.at(-1)] : undefined;
    const text = node.arg.A_Const?.sval?.sval;
    if (kind && text !== undefined && !node.typeName.arrayBounds) facts.literal(kind, text);
  },
  A_Expr(facts, node, tables) {
    facts.reference(strings(node.name));
    walk(facts, node.lexpr, tables);
    walk(facts, node.rexpr, tables);
  },
  DropStmt(facts, node) {
    if (node.removeType === 'OBJECT_SCHEMA') return;
    node.objects.forEach((object) => named(facts, node.removeType, object));
  },
  CommentStmt: (facts, node) => named(facts, node.objtype, node.object),
  SecLabelStmt: (facts, node) => named(facts, node.objtype, node.object),
  AlterOwnerStmt(facts, node) {
    walk(facts, node.relation, []);
    if (/OBJECT_(TYPE|DOMAIN)$/.test(node.objectType)) facts.type(listOf(node.object));
    else named(facts, node.objectType, node.object);
  },
  AlterObjectDependsStmt(facts, node) {
    if (node.relation) walk(facts, node.relation, []);
    else named(facts, node.objectType, node.object);
  },
  RenameStmt(facts, node) {
    if (node.relation && node.renameType === 'OBJECT_ATTRIBUTE') facts.type([node.relation.schemaname, node.relation.relname].filter(Boolean));
    else if (node.relation) walk(facts, node.relation, []);
    else if (/CONSTRAINT/.test(node.renameType)) facts.type(listOf(node.object));
    else if (/OBJECT_(TYPE|DOMAIN)$/.test(node.renameType)) facts.type(listOf(node.object));
    else named(facts, node.renameType, node.object);
  },
  AlterObjectSchemaStmt(facts, node) {
    if (node.objectType === 'OBJECT_EXTENSION') return;
    if (node.relation) walk(facts, node.relation, []);
    else if (/OBJECT_(TYPE|DOMAIN)$/.test(node.objectType)) facts.type(listOf(node.object));
    else named(facts, node.objectType, node.object);
    facts.schema(node.newschema);
  },
  GrantStmt(facts, node) {
    if (node.targtype === 'ACL_TARGET_ALL_IN_SCHEMA') strings(node.objects).forEach((name) => facts.schema(name));
    else if (/OBJECT_(TYPE|DOMAIN)$/.test(node.objtype)) node.objects.forEach((object) => facts.type(listOf(object)));
    else if (!/OBJECT_(SCHEMA|DATABASE)$/.test(node.objtype)) (node.objects ?? []).forEach((object) => walk(facts, object, []));
  },
  AlterDefaultPrivilegesStmt(facts, node) {
    for (const option of node.options ?? []) {
      if (option.DefElem.defname === 'schemas') strings(option.DefElem.arg.List.items).forEach((name) => facts.schema(name));
    }
  },
  DefineStmt(facts, node) {
    facts.object(strings(node.defnames));
    walk(facts, node.args, []);
    definition(facts, node.definition);
  },
  CompositeTypeStmt(facts, node) {
    facts.object([node.typevar.schemaname, node.typevar.relname].filter((part) => part !== undefined));
    walk(facts, node.coldeflist, []);
  },
  CreateEnumStmt: (facts, node) => facts.object(strings(node.typeName)),
  AlterEnumStmt: (facts, node) => facts.type(strings(node.typeName)),
  AlterTypeStmt(facts, node) {
    facts.type(strings(node.typeName));
    definition(facts, node.options);
  },
  CreateRangeStmt(facts, node) {
    facts.object(strings(node.typeName));
    definition(facts, node.params);
  },
  CreateDomainStmt(facts, node) {
    facts.object(strings(node.domainname));
    walk(facts, [node.typeName, node.collClause, node.constraints], []);
  },
  AlterDomainStmt(facts, node) {
    facts.type(strings(node.typeName));
    walk(facts, node.def, []);
  },
  AlterTableStmt(facts, node) {
    if (node.objtype === 'OBJECT_TYPE') facts.type([node.relation.schemaname, node.relation.relname].filter((part) => part !== undefined));
    else walk(facts, node.relation, []);
    walk(facts, node.cmds, []);
  },
  CreateFunctionStmt(facts, node) {
    facts.object(strings(node.funcname));
    walk(facts, [node.parameters, node.returnType, node.sql_body], []);
    functionOptions(facts, node.options);
  },
  AlterFunctionStmt(facts, node) {
    walk(facts, node.func, []);
    functionOptions(facts, node.actions);
  },
  CreateCastStmt(facts, node) {
    walk(facts, [node.sourcetype, node.targettype], []);
    routine(facts, node.func);
  },
  CreateTransformStmt(facts, node) {
    walk(facts, node.type_name, []);
    routine(facts, node.fromsql);
    routine(facts, node.tosql);
  },
  CreateOpClassStmt(facts, node) {
    facts.object(strings(node.opclassname));
    facts.reference(strings(node.opfamilyname));
    walk(facts, [node.datatype, node.items], []);
  },
  CreateOpFamilyStmt: (facts, node) => facts.object(strings(node.opfamilyname)),
  AlterOpFamilyStmt(facts, node) {
    facts.object(strings(node.opfamilyname));
    walk(facts, node.items, []);
  },
  CreateOpClassItem(facts, node) {
    if (node.itemtype === 2) routine(facts, node.name);
    else if (node.itemtype === 1) {
      facts.reference(strings(node.name?.objname));
      walk(facts, node.name?.objargs, []);
    }
    facts.reference(strings(node.order_family));
    walk(facts, [node.class_args, node.storedtype], []);
  },
  CreateConversionStmt(facts, node) {
    facts.object(strings(node.conversion_name));
    facts.function(strings(node.func_name));
  },
  CreatePLangStmt(facts, node) {
    for (const list of [node.plhandler, node.plinline, node.plvalidator]) if (list) facts.function(strings(list));
  },
  CreateFdwStmt: (facts, node) => handlers(facts, node.func_options),
  AlterFdwStmt: (facts, node) => handlers(facts, node.func_options),
  CreateAmStmt: (facts, node) => facts.function(strings(node.handler_name)),
  CreateTrigStmt(facts, node) {
    walk(facts, [node.relation, node.constrrel, node.whenClause], []);
    facts.function(strings(node.funcname));
  },
  CreateEventTrigStmt: (facts, node) => facts.function(strings(node.funcname)),
  CreateStatsStmt(facts, node) {
    if (node.defnames) facts.object(strings(node.defnames));
    walk(facts, [node.exprs, node.relations], []);
  },
  AlterStatsStmt: (facts, node) => facts.object(strings(node.defnames)),
  AlterCollationStmt: (facts, node) => facts.object(strings(node.collname)),
  AlterOperatorStmt(facts, node) {
    walk(facts, node.opername, []);
    definition(facts, node.options);
  },
  AlterTSConfigurationStmt(facts, node) {
    facts.object(strings(node.cfgname));
    (node.dicts ?? []).forEach((dictionary) => facts.reference(listOf(dictionary)));
  },
  AlterTSDictionaryStmt(facts, node) {
    facts.object(strings(node.dictname));
    definition(facts, node.options);
  },
  IndexElem: indexElement,
  PartitionElem: indexElement,
  CreateSeqStmt(facts, node) {
    walk(facts, node.sequence, []);
    sequenceOptions(facts, node.options);
  },
  AlterSeqStmt(facts, node) {
    walk(facts, node.sequence, []);
    sequenceOptions(facts, node.options);
  },
  Constraint(facts, node, tables) {
    sequenceOptions(facts, node.contype === 'CONSTR_IDENTITY' ? node.options : []);
    for (const exclusion of node.exclusions ?? []) {
      walk(facts, exclusion.List.items[0], tables);
      facts.reference(listOf(exclusion.List.items[1]));
    }
    walk(facts, [node.raw_expr, node.pktable, node.where_clause], tables);
  },
  AlterTableCmd(facts, node, tables) {
    if (node.subtype === 'AT_SetIdentity' || node.subtype === 'AT_AddIdentity') {
      sequenceOptions(facts, node.def?.List?.items ?? node.def?.Constraint?.options);
      return;
    }
    if (/Options|AT_SetRelOptions|AT_ResetRelOptions/.test(node.subtype)) return;
    walk(facts, node.def, tables);
  },
  RangeTableSample(facts, node, tables) {
    facts.function(strings(node.method));
    walk(facts, [node.relation, node.args, node.repeatable], tables);
  },
  ImportForeignSchemaStmt: (facts, node) => facts.schema(node.local_schema),
  PublicationObjSpec(facts, node) {
    if (node.pubobjtype === 'PUBLICATIONOBJ_TABLES_IN_SCHEMA') facts.schema(node.name);
    walk(facts, node.pubtable, []);
  },
  ReindexStmt(facts, node) {
    walk(facts, node.relation, []);
    if (node.kind === 'REINDEX_OBJECT_SCHEMA') facts.schema(node.name);
  },
  ConstraintsSetStmt(facts, node) {
    (node.constraints ?? []).forEach(({ RangeVar: name }) => facts.reference([name.schemaname, name.relname].filter(Boolean)));
  },
  CreateExtensionStmt() {},
  AlterExtensionStmt() {},
  AlterExtensionContentsStmt() {},
  CreateRoleStmt() {},
  DropOwnedStmt() {},
  ReassignOwnedStmt() {},
  AlterSystemStmt() {},
};

function handlers(facts, options) {
  (options ?? []).forEach(({ DefElem: option }) => option.arg && facts.function(listOf(option.arg)));
}

function routine(facts, node) {
  if (!node) return;
  facts.function(strings(node.objname));
  walk(facts, node.objargs, []);
  walk(facts, node.objfuncargs, []);
}

function sequenceOptions(facts, options) {
  for (const { DefElem: option } of options ?? []) {
    if (option.defname === 'owned_by') facts.relationList(listOf(option.arg).slice(0, -1));
    else if (option.defname === 'sequence_name') facts.reference(listOf(option.arg));
    else if (option.defname === 'as') typeName(facts, option.arg.TypeName);
  }
}

function functionOptions(facts, options) {
  for (const { DefElem: option } of options ?? []) {
    if (option.defname === 'support') facts.reference(listOf(option.arg));
    else if (option.defname === 'transform') walk(facts, option.arg, []);
  }
}

function definition(facts, options) {
  for (const { DefElem: option } of options ?? []) {
    if (option.arg?.TypeName) facts.reference(strings(option.arg.TypeName.names));
    else if (option.arg?.List) facts.reference(listOf(option.arg));
  }
}

function indexElement(facts, node, tables) {
  facts.reference(strings(node.collation));
  facts.reference(strings(node.opclass));
  walk(facts, node.expr, tables);
}

function typeName(facts, node) {
  if (!node) return;
  const parts = strings(node.names);
  if (node.pct_type) facts.relationList(parts.slice(0, -1));
  else facts.type(parts);
  walk(facts, node.typmods, []);
}

const targets = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

/** Every node below, with the common tables that are in scope. */
function walk(facts, node, tables, type) {
  if (node === undefined || node === null || typeof node !== 'object') return;
  if (Array.isArray(node)) {
    node.forEach((item) => walk(facts, item, tables));
    return;
  }
  if (type && special[type]) {
    special[type](facts, node, tables);
    return;
  }
  if (node.relname !== undefined) {
    facts.relationName(node.schemaname, node.relname, tables);
    return;
  }
  if (node.names && node.typemod !== undefined) {
    typeName(facts, node);
    return;
  }
  if (node.collname && Array.isArray(node.collname)) {
    facts.reference(strings(node.collname));
    walk(facts, node.arg, tables);
    return;
  }
  if (node.objname) {
    facts.object(strings(node.objname));
    walk(facts, node.objargs, tables);
    walk(facts, node.objfuncargs, tables);
    return;
  }
  let scope = tables;
  if (node.withClause) {
    const list = node.withClause.ctes.map(({ CommonTableExpr: table }) => table);
    if (node.withClause.recursive) scope = [...scope, ...list.map((table) => table.ctename)];
    for (const table of list) {
      walk(facts, table.ctequery, scope);
      if (!node.withClause.recursive) scope = [...scope, table.ctename];
    }
  }
  if (node.funcname) {
    facts.function(strings(node.funcname));
    const name = strings(node.funcname);
    const text = node.args?.[0]?.A_Const?.sval?.sval;
    const kind = name.length === 1 || name[0] === 'pg_catalog' ? literalFunctions[name.at(-1)] : undefined;
    if (kind && text !== undefined) facts.literal(kind, text);
  }
  for (const [key, value] of Object.entries(node)) {
    if (key === 'withClause' || key === 'funcname' || key === 'lockingClause') continue;
    if (key === 'useOp' || key === 'operName') facts.reference(strings(value));
    else if ((key === 'relation' && targets.has(type)) || (key === 'rel' && type === undefined && value.relname)) {
      walk(facts, value, []);
    } else walk(facts, value, scope, /^[A-Z]/.test(key) ? key : undefined);
  }
}

export function factsOf(statement) {
  const facts = new Facts();
  walk(facts, statement, []);
  return {
    schemas: [...facts.schemas].sort(),
    relation: facts.relation,
    other: facts.other,
    catalog: !facts.catalog ? 'NONE' : facts.schemas.size === 0 && !facts.relation && !facts.other ? 'ONLY' : 'ALSO',
    tenantry: [...facts.tenantry].sort(),
  };
}

// --- kinds and actions ------------------------------------------------------------------------------------------------

const plain = {
  UpdateStmt: 'UPDATE', InsertStmt: 'INSERT', DeleteStmt: 'DELETE', MergeStmt: 'MERGE', ExplainStmt: 'EXPLAIN', CallStmt: 'CALL',
  DoStmt: 'DO', CreateSchemaStmt: 'CREATE_SCHEMA', VariableShowStmt: 'SHOW', PrepareStmt: 'PREPARE', ExecuteStmt: 'EXECUTE',
  DeallocateStmt: 'DEALLOCATE', DeclareCursorStmt: 'DECLARE', FetchStmt: 'FETCH', ClosePortalStmt: 'CLOSE', ListenStmt: 'LISTEN',
  UnlistenStmt: 'UNLISTEN', NotifyStmt: 'NOTIFY', DiscardStmt: 'DISCARD', LockStmt: 'LOCK', ConstraintsSetStmt: 'SET_CONSTRAINTS',
  CheckPointStmt: 'SERVER', LoadStmt: 'SERVER', CreatedbStmt: 'SERVER', DropdbStmt: 'SERVER', AlterDatabaseStmt: 'SERVER',
  AlterDatabaseRefreshCollStmt: 'SERVER', CreateTableSpaceStmt: 'SERVER', DropTableSpaceStmt: 'SERVER',
  AlterTableSpaceOptionsStmt: 'SERVER', AlterSystemStmt: 'SERVER', AlterDatabaseSetStmt: 'GLOBAL_DDL', CreateRoleStmt: 'GLOBAL_DDL',
  AlterRoleStmt: 'GLOBAL_DDL', AlterRoleSetStmt: 'GLOBAL_DDL', DropRoleStmt: 'GLOBAL_DDL', GrantRoleStmt: 'GLOBAL_DDL',
  CreateExtensionStmt: 'GLOBAL_DDL', AlterExtensionStmt: 'GLOBAL_DDL', AlterExtensionContentsStmt: 'GLOBAL_DDL',
  DropOwnedStmt: 'GLOBAL_DDL', ReassignOwnedStmt: 'GLOBAL_DDL',
};
const byObject = (type, schema) => ({
  OBJECT_SCHEMA: schema, OBJECT_ROLE: 'GLOBAL_DDL', OBJECT_EXTENSION: 'GLOBAL_DDL', OBJECT_DATABASE: 'SERVER', OBJECT_TABLESPACE: 'SERVER',
})[type] ?? 'DDL';
const transactions = {
  TRANS_STMT_BEGIN: 'BEGIN', TRANS_STMT_START: 'BEGIN', TRANS_STMT_COMMIT: 'COMMIT', TRANS_STMT_ROLLBACK: 'ROLLBACK',
  TRANS_STMT_SAVEPOINT: 'SAVEPOINT', TRANS_STMT_RELEASE: 'RELEASE', TRANS_STMT_ROLLBACK_TO: 'ROLLBACK_TO',
  TRANS_STMT_PREPARE: 'PREPARE_TRANSACTION', TRANS_STMT_COMMIT_PREPARED: 'COMMIT_PREPARED',
  TRANS_STMT_ROLLBACK_PREPARED: 'ROLLBACK_PREPARED',
};

export function kindOf(statement, text) {
  const [type, node] = Object.entries(statement)[0];
  if (plain[type]) return plain[type];
  switch (type) {
    case 'SelectStmt': {
      const first = /^(\(|\w+)/.exec(text)?.[1].toUpperCase();
      return first === 'VALUES' || first === 'TABLE' ? first : 'SELECT';
    }
    case 'CopyStmt': return node.is_from ? 'COPY_FROM' : 'COPY_TO';
    case 'TransactionStmt': return transactions[node.kind];
    case 'VariableSetStmt':
      if (node.kind === 'VAR_RESET' || node.kind === 'VAR_RESET_ALL') return 'RESET';
      return node.kind === 'VAR_SET_MULTI' && node.name !== 'SESSION CHARACTERISTICS' ? 'SET_TRANSACTION' : 'SET';
    case 'VacuumStmt': return node.is_vacuumcmd ? 'VACUUM' : 'ANALYZE';
    case 'DropStmt': return byObject(node.removeType, 'DROP_SCHEMA');
    case 'CommentStmt':
    case 'SecLabelStmt': return byObject(node.objtype, 'ON_SCHEMA');
    case 'GrantStmt':
      if (node.targtype === 'ACL_TARGET_OBJECT' && /DATABASE|PARAMETER/.test(node.objtype)) return 'GLOBAL_DDL';
      return node.targtype === 'ACL_TARGET_OBJECT' ? byObject(node.objtype, 'ON_SCHEMA') : 'DDL';
    case 'RenameStmt': return byObject(node.renameType, 'ALTER_SCHEMA');
    case 'AlterOwnerStmt': return byObject(node.objectType, 'ALTER_SCHEMA');
    case 'AlterObjectSchemaStmt': return byObject(node.objectType, 'ALTER_SCHEMA');
    case 'AlterDefaultPrivilegesStmt':
      return (node.options ?? []).some(({ DefElem: option }) => option.defname === 'schemas') ? 'DDL' : 'GLOBAL_DDL';
    default: return 'DDL';
  }
}

const quoteIdentifier = (name) =>
  /^[a-z_][a-z0-9_]*$/.test(name) && !/^[RTC]/.test(names.get(name) ?? '') ? name : `"${name.replaceAll('"', '""')}"`;
const lists = new Set(['search_path', 'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries']);

const inputLists = new Set([...lists, 'datestyle', 'createrole_self_grant', 'restrict_nonsystem_relation_kind',
  'wal_consistency_checking', 'backtrace_functions']);

function settingText(name, args) {
  if (args.length > 1 && !inputLists.has(name)) return '?';
  return args.map(({ A_Const: constant, TypeCast: cast }) => {
    if (cast) return undefined;
    if (constant.ival) return String(constant.ival.ival ?? 0);
    if (constant.fval) return constant.fval.fval;
    return lists.has(name) ? quoteIdentifier(constant.sval.sval ?? '') : constant.sval.sval ?? '';
  }).join(', ');
}

function setting(node) {
  const name = node.name?.toLowerCase();
  const local = node.is_local ? ' local' : '';
  switch (node.kind) {
    case 'VAR_RESET': return `reset ${name}`;
    case 'VAR_RESET_ALL': return 'reset all';
    case 'VAR_SET_DEFAULT': return `reset${local} ${name}`;
    case 'VAR_SET_VALUE':
      if (node.args.some((arg) => arg.TypeCast)) return `set${local} ${name} = ?`;
      return `set${local} ${name} = ${settingText(name, node.args)}`;
    case 'VAR_SET_MULTI':
      if (node.name === 'SESSION CHARACTERISTICS') {
        return node.args.map(({ DefElem: mode }) => {
          const value = mode.arg.A_Const;
          return `default_${mode.defname} = ${value.sval ? value.sval.sval : value.ival?.ival ? 'on' : 'off'}`;
        }).join('; ');
      }
      return '';
    default: return '';
  }
}

const role = (spec) => spec?.rolename ?? spec?.roletype;

export function actionOf(statement) {
  const [type, node] = Object.entries(statement)[0];
  switch (type) {
    case 'VariableSetStmt': return setting(node);
    case 'TransactionStmt': {
      const chain = node.chain ? ' chain' : '';
      switch (node.kind) {
        case 'TRANS_STMT_BEGIN': return 'begin';
        case 'TRANS_STMT_START': return 'start';
        case 'TRANS_STMT_COMMIT': return `commit${chain}`;
        case 'TRANS_STMT_ROLLBACK': return `rollback${chain}`;
        case 'TRANS_STMT_SAVEPOINT': return `savepoint ${node.savepoint_name}`;
        case 'TRANS_STMT_RELEASE': return `release ${node.savepoint_name}`;
        case 'TRANS_STMT_ROLLBACK_TO': return `rollback to ${node.savepoint_name}`;
        case 'TRANS_STMT_PREPARE': return `prepare transaction ${node.gid}`;
        case 'TRANS_STMT_COMMIT_PREPARED':
        case 'TRANS_STMT_ROLLBACK_PREPARED': return `finish prepared ${node.gid}`;
        default: return '';
      }
    }
    case 'PrepareStmt': return `prepare ${node.name}`;
    case 'ExecuteStmt': return `execute ${node.name}`;
    case 'ExplainStmt': {
      const inner = actionOf(node.query);
      return inner.startsWith('execute ') ? inner : '';
    }
    case 'CreateTableAsStmt': return node.query.ExecuteStmt ? `execute ${node.query.ExecuteStmt.name}` : '';
    case 'DeclareCursorStmt': return `declare ${node.portalname}`;
    case 'FetchStmt': return `on cursor ${node.portalname}`;
    case 'ClosePortalStmt': return node.portalname === undefined ? 'on all cursors' : `on cursor ${node.portalname}`;
    case 'ConstraintsSetStmt': return node.constraints === undefined ? 'set local constraints = ?' : '';
    case 'DeallocateStmt': return node.name === undefined ? 'deallocate all' : `deallocate ${node.name}`;
    case 'DiscardStmt': return `discard ${(node.target ?? 'DISCARD_ALL').replace('DISCARD_', '').toLowerCase()}`;
    case 'CreateSchemaStmt':
      return `create schema ${node.schemaname ?? role(node.authrole)}${node.if_not_exists ? ' if not exists' : ''}`
        + `${node.authrole ? ' authorization' : ''}`;
    case 'DropStmt':
      return node.removeType === 'OBJECT_SCHEMA'
        ? `drop schema ${strings(node.objects).join(',')}${node.missing_ok ? ' if exists' : ''}${node.behavior === 'DROP_CASCADE' ? ' cascade' : ''}`
        : '';
    case 'RenameStmt': return node.renameType === 'OBJECT_SCHEMA' ? `rename schema ${node.subname} ${node.newname}` : '';
    case 'AlterOwnerStmt': return node.objectType === 'OBJECT_SCHEMA' ? `owner of schema ${node.object.String.sval}` : '';
    case 'GrantStmt':
      return node.objtype === 'OBJECT_SCHEMA' && node.targtype === 'ACL_TARGET_OBJECT' ? `on schemas ${strings(node.objects).join(',')}` : '';
    case 'CommentStmt':
    case 'SecLabelStmt': return node.objtype === 'OBJECT_SCHEMA' ? `on schemas ${node.object.String.sval}` : '';
    default: return '';
  }
}
